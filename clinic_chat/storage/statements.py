"""How statements that are built once are run. The two are apart: what is quick is tested to be.

_ONE = select(…).where(…).execution_options(**ON_EVENT_LOOP)
"""

PREPARED_OPTION = "clinic_chat_prepared"
ON_EVENT_LOOP_OPTION = "clinic_chat_on_event_loop"

PREPARED = {PREPARED_OPTION: True}
"""For a statement that is built once, with parameters for what differs.

What its scope's check found is then remembered (scoping.py), half of what such a statement costs.
"""
ON_EVENT_LOOP = {**PREPARED, ON_EVENT_LOOP_OPTION: True}
"""For one that also takes less time than the way to SQLite's thread, because it goes by index.

While it runs nothing else does. `tests/integration/storage/test_statements.py` fails for one that
reads through a table.
"""
