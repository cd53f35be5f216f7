"""Cases: a study that several people read, each for themselves, until their reads may be laid side by side.

states     stages, states and the moves between them; triggers in the database hold the same tables
sealing    the rule `studies.sealing` asks: what is closed to whom, where new work goes, who is "Reader A"
selectors  who sees which cases and readings
content    what a protocol and the answers to its form may hold (pure)
dealing    who reads what
services   opening, beginning, committing, submitting, reassigning, and `move_case` for the stages that follow
serializers  a case as the asker may see it
"""
