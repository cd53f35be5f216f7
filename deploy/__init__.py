"""What `manage.py` calls to build, start and stop things.

`door`, `environment`, `browser_libraries`, `machine` and `say` run on bare Python: they import the standard library
only. Everything else runs inside the environment they build.
"""
