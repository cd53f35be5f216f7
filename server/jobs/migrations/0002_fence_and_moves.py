"""The fence sequence, and the trigger that forbids every move of a job that `server.jobs.states.MOVES` lacks."""

from django.db import migrations

FENCE = "CREATE SEQUENCE jobs_fence"

TRIGGER = """
CREATE FUNCTION jobs_check_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT ((OLD.state || '>' || NEW.state) = ANY (ARRAY[
    'queued>running', 'queued>cancelled',
    'running>succeeded', 'running>failed', 'running>cancelled', 'running>queued'
  ])) THEN
    RAISE EXCEPTION 'job % may not go from % to %', OLD.id, OLD.state, NEW.state USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER jobs_check_move BEFORE UPDATE ON jobs_job
  FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION jobs_check_move();
"""


class Migration(migrations.Migration):
    dependencies = [("jobs", "0001_initial")]

    operations = [
        migrations.RunSQL(FENCE, "DROP SEQUENCE jobs_fence"),
        migrations.RunSQL(TRIGGER, "DROP TRIGGER jobs_check_move ON jobs_job; DROP FUNCTION jobs_check_move()"),
    ]
