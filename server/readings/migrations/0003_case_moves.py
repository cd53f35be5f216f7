"""Triggers: moves of cases and readings that `cases.states` lacks, a seal that comes back, a kept read that changes.

And the events of studies from before there were result streams: what they tell may be sealed from now on, so whoever
is behind loads the study again.
"""

from django.db import migrations

CASES = """
CREATE FUNCTION readings_check_case() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  move text := OLD.stage || ' ' || OLD.state || '>' || NEW.stage || ' ' || NEW.state;
  is_move boolean := OLD.stage IS DISTINCT FROM NEW.stage OR OLD.state IS DISTINCT FROM NEW.state;
BEGIN
  IF is_move AND NOT (move = ANY (ARRAY[
    'reading new>reading in_progress',
    'reading in_progress>adjudication new', 'reading in_progress>approval new',
    'adjudication new>adjudication in_progress', 'adjudication in_progress>approval new',
    'approval new>approval in_progress', 'approval in_progress>approval completed',
    'approval completed>approval new'
  ])) THEN
    RAISE EXCEPTION 'case % may not go %', OLD.id, move USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.is_blind AND NOT OLD.is_blind THEN
    RAISE EXCEPTION 'case % was opened and cannot be sealed again', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.version <> OLD.version + (CASE WHEN OLD.state = 'completed' AND is_move THEN 1 ELSE 0 END) THEN
    RAISE EXCEPTION 'case %: a version begins when a signed case is opened again', OLD.id
      USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.state = 'completed' AND NOT is_move AND (
    (NEW.final_id IS NOT NULL AND NEW.final_id IS DISTINCT FROM OLD.final_id)
    OR NEW.final_seq IS DISTINCT FROM OLD.final_seq
  ) THEN
    RAISE EXCEPTION 'case % is signed', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER readings_check_case BEFORE UPDATE ON readings_case
  FOR EACH ROW EXECUTE FUNCTION readings_check_case();
"""

READINGS = """
CREATE FUNCTION readings_check_reading() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state IS DISTINCT FROM NEW.state AND NOT ((OLD.state || '>' || NEW.state) = ANY (ARRAY[
    'assigned>in_progress', 'assigned>withdrawn',
    'in_progress>committed', 'in_progress>withdrawn',
    'committed>submitted'
  ])) THEN
    RAISE EXCEPTION 'reading % may not go from % to %', OLD.id, OLD.state, NEW.state USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.case_id <> OLD.case_id OR NEW.reader_id <> OLD.reader_id OR NEW.kind <> OLD.kind
     OR NEW.letter <> OLD.letter THEN
    RAISE EXCEPTION 'reading % belongs to its reader', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.state IN ('committed', 'submitted') AND (
    (NEW.segmentation_id IS NOT NULL AND NEW.segmentation_id IS DISTINCT FROM OLD.segmentation_id)
    OR ROW(NEW.first_seq, NEW.first_digest, NEW.first_answers, NEW.first_words, NEW.first_annotations,
           NEW.committed_at)
       IS DISTINCT FROM
       ROW(OLD.first_seq, OLD.first_digest, OLD.first_answers, OLD.first_words, OLD.first_annotations,
           OLD.committed_at)
  ) THEN
    RAISE EXCEPTION 'reading %: a first read is kept as it was committed', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.state = 'submitted' AND
     ROW(NEW.final_seq, NEW.final_digest, NEW.final_answers, NEW.final_words, NEW.final_annotations, NEW.submitted_at)
     IS DISTINCT FROM
     ROW(OLD.final_seq, OLD.final_digest, OLD.final_answers, OLD.final_words, OLD.final_annotations, OLD.submitted_at)
  THEN
    RAISE EXCEPTION 'reading %: a read is kept as it was submitted', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER readings_check_reading BEFORE UPDATE ON readings_reading
  FOR EACH ROW EXECUTE FUNCTION readings_check_reading();
"""

OLD_EVENTS = """
DELETE FROM realtime_streamevent WHERE stream LIKE 'study:%';
UPDATE realtime_stream SET kept_from = last + 1 WHERE name LIKE 'study:%';
"""


class Migration(migrations.Migration):
    dependencies = [("readings", "0002_cases"), ("realtime", "0001_initial"), ("reconstructions", "0003_audience")]

    operations = [
        migrations.RunSQL(
            CASES, "DROP TRIGGER readings_check_case ON readings_case; DROP FUNCTION readings_check_case()"
        ),
        migrations.RunSQL(
            READINGS, "DROP TRIGGER readings_check_reading ON readings_reading; DROP FUNCTION readings_check_reading()"
        ),
        migrations.RunSQL(OLD_EVENTS, migrations.RunSQL.noop),
    ]
