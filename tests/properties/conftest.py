from types import SimpleNamespace

import pytest


@pytest.fixture(scope="session")
def account():
    """An account-like object, as Mesa agents and rows of the compiled engines are."""
    return lambda qty, entry, collateral, cohort=0: SimpleNamespace(
        qty=float(qty), entry=float(entry), collateral=float(collateral), cohort=cohort, wait=0
    )
