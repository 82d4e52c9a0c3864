"""How laws are searched: the same examples at every run of the tests, new ones when a search is asked for.

A law that fails by chance in one run of ten tells little about the change under test. `make soak` searches further,
with new examples each time.
"""

from hypothesis import settings

settings.register_profile("same", derandomize=True, database=None, deadline=None)
settings.register_profile("search", deadline=None)
settings.load_profile("same")
