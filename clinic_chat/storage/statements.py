"""Execution options for prepared statements. There are two, because tests check the quick ones.

_ONE = select(…).where(…).execution_options(**ON_EVENT_LOOP)
"""

PREPARED_OPTION = "clinic_chat_prepared"
ON_EVENT_LOOP_OPTION = "clinic_chat_on_event_loop"

PREPARED = {PREPARED_OPTION: True}
"""For a statement that is built once and takes its values as parameters.

The result of its scope's check is then cached (scoping.py), which saves half of its cost.
"""
ON_EVENT_LOOP = {**PREPARED, ON_EVENT_LOOP_OPTION: True}
"""For one that also takes less time than the switch to SQLite's thread, because it uses an index.

It blocks the event loop while it runs. `tests/integration/storage/test_statements.py` fails for
one that scans a table.
"""
