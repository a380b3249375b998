from hypothesis import settings

# Property tests are the same on every machine: a failure in CI is a failure here.
settings.register_profile("reproducible", derandomize=True, deadline=None, database=None)
settings.load_profile("reproducible")
