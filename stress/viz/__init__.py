"""The dashboard: the reference model to watch and to push, and a page that opens finished runs (extra `viz`)."""
