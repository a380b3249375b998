"""The insurance fund: where it starts, what it is held in, and what feeds it besides liquidations."""

from collections.abc import Iterator

from pydantic import Field

from stress.exchange.contract import USD, Contract
from stress.registry import Settings

# Dollars by another name: their USD price is taken to be 1 (docs/method.md, section 6).
STABLE = (USD, "USDT", "USDC", "BUSD", "FDUSD", "BNFCR", "DAI")
INDEX = "index"
ROUNDING = 1e-9  # of shares that should not add up to more than one


class Asset(Settings):
    """What a share of the fund is held in.

    Its price follows USD or the index.  A stable coin follows USD and the contract's coin the index without being
    told; the coin in which a quanto settles is the contract's money, whose price stands still as that of USD does.
    `beta` is the relative move of its USD price for one of the index; at most 1.5, so that its worth stays above zero
    until the index has lost two thirds.  Whatever is sold in need fetches (1 - `sale_haircut`) of its price, and counts
    as that from the start.
    """

    name: str = Field(min_length=1)
    share: float = Field(ge=0, le=1)  # of the initial fund, at market prices
    follows: str | None = None
    beta: float = Field(default=1.0, ge=0, le=1.5)
    sale_haircut: float = Field(default=0.0, ge=0, lt=1)

    def follows_of(self, contract: Contract, coin: str) -> str | None:
        """Return "USD" or "index", or None for an asset without a price."""
        said = self.follows or self.name
        if said in STABLE or (said == coin and not contract.on_coin):
            return USD
        return INDEX if said in (INDEX, coin) else None

    def beta_of(self, contract: Contract, coin: str) -> float:
        """Return the relative move of its USD price for one of the index: none for dollars."""
        return self.beta if self.follows_of(contract, coin) == INDEX else 0.0


class FundSettings(Settings):
    """Table ``[fund]``.

    Shares of trading fees default to zero: no source gives a rate for a large venue (docs/method.md, section 11).
    """

    initial_usd: float | None = Field(default=None, ge=0)  # at market prices; in the money of the contract
    initial_coin: float | None = Field(default=None, ge=0)
    in_coin: float = Field(default=0.0, ge=0, le=1)  # short for one asset, the coin itself, and the rest in money
    assets: tuple[Asset, ...] = ()  # what is left of the shares is held in the money of the contract
    share_of_fees: float = Field(default=0.0, ge=0, le=1)  # of the fees that the venue earns
    share_of_notional: float = Field(default=0.0, ge=0, le=0.01)  # of the notional traded
    top_up_usd: float = Field(default=0.0, ge=0)  # paid in by the operator each time that the fund is below its line
    top_up_below_usd: float | None = Field(default=None, ge=0)
    top_up_total_usd: float | None = Field(default=None, ge=0)  # absent: without end
    fee_rate: float = Field(default=7e-4, ge=0, le=0.01)  # maker plus taker, 2 + 5 bp (docs/method.md, section 11)

    def income_per_day(self, volume_per_day: float) -> float:
        """Return the fund's fee income a day, in the money of the volume."""
        return volume_per_day * (self.share_of_fees * self.fee_rate + self.share_of_notional)

    @property
    def face(self) -> float:
        """The fund at market prices, in the money of the contract."""
        return self.amount("initial")

    def held(self, coin: str) -> tuple[Asset, ...]:
        """Return the assets, `in_coin` written out."""
        if self.in_coin > 0.0:
            return (Asset(name=coin, share=self.in_coin, follows=INDEX),)
        return self.assets

    def usable(self, coin: str) -> float:
        """Return what the fund can pay at today's prices: every asset at (1 - haircut), in the contract's money."""
        return self.face * (1.0 - sum(asset.share * asset.sale_haircut for asset in self.held(coin)))

    def basket(self, contract: Contract, coin: str) -> tuple[float, float]:
        """Return today's worth of the assets that move with the price in the contract's coordinates, in two parts.

        Their worth in money is affine in that price: the first part is proportional to it, the second stands still.
        """
        moving = still = 0.0
        for asset in self.held(coin):
            worth = self.face * asset.share * (1.0 - asset.sale_haircut)
            exposure = contract.exposure(asset.beta_of(contract, coin))
            if exposure != 0.0:
                moving += worth * exposure
                still += worth * (1.0 - exposure)
        return moving, still

    def top_up_problems(self) -> Iterator[tuple[str, str]]:
        """Yield (key, message) for a part of the rule of top-ups that is without the rest."""
        if self.top_up_usd > 0.0:
            if self.top_up_below_usd is None:
                yield "top_up_below_usd", "is needed by fund.top_up_usd"
            return
        for key in ("top_up_below_usd", "top_up_total_usd"):
            if (amount := getattr(self, key)) is not None:
                yield key, f"{amount:g} has no effect without fund.top_up_usd above 0"

    def problems(self, contract: Contract, coin: str) -> Iterator[tuple[str, str]]:
        """Yield (key, message) for assets that have no price, or more of them than the fund."""
        if self.in_coin > 0.0 and self.assets:
            yield "in_coin", "must be 0 where fund.assets are listed"
        if self.in_coin > 0.0 and contract.in_coin:
            yield "in_coin", f"must be 0: the contract's money is {coin}; list what else the fund holds in fund.assets"
        for i, asset in enumerate(self.assets):
            if asset.follows_of(contract, coin) is None:
                known = f"follows = {INDEX!r} or {USD!r}"
                yield f"assets.{i}", f"{asset.name!r} has no price: give {known} (stable coins and {coin} need none)"
            elif asset.name == coin and asset.follows == INDEX and not contract.on_coin:
                yield f"assets.{i}.follows", f"{INDEX!r} is another coin's price: {coin} is the contract's money"
            elif contract.exposure(asset.beta_of(contract, coin)) < 0.0:
                yield f"assets.{i}.beta", f"{asset.beta:g} must be at most 1 where the money is {coin}"
        total = sum(asset.share for asset in self.assets)
        if total > 1.0 + ROUNDING:
            yield "assets", f"the shares add up to {total:.4g}, above 1"
