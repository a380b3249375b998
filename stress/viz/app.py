"""The pages that Solara serves; ``fundstress dashboard`` starts them and says where they are."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import solara
from mesa.visualization import SolaraViz, make_plot_component
from mesa.visualization.utils import update_counter

from stress import plots
from stress.check import finished_page
from stress.report import FinishedRun, Words, document, load_run
from stress.report.sensitivity import effects, judged
from stress.report.tables import shown
from stress.sweepdir import is_sweep
from stress.sweeps import Sweep, load_sweep
from stress.toml import ScenarioError
from stress.viz.filters import readable, within
from stress.viz.model import PushedModel, live_book, sliders
from stress.viz.settings import CONFIG, RUN, start

_MOVES = (-0.2, -0.1, -0.05, 0.05, 0.1, 0.2)


@solara.component
def Map(model: Any) -> None:  # noqa: N802 -- a component is written like a class
    """Draw which price moves liquidate whom, as the accounts stand now."""
    update_counter.get()
    axes = plots.liquidation_map(live_book(model), unit=model.fund_scenario.exchange.unit)
    solara.FigureMatplotlib(axes.figure, format="png")


@solara.component
def Push(model: Any) -> None:  # noqa: N802
    """Show the state in words, and one button for every shock."""
    update_counter.get()
    pushed, push = solara.use_state((-1, ""))  # at which step, and what was said

    def press(move: float) -> None:
        """Push, and say so until the next step."""
        model.push(move)
        push((model.clock, f"The index moves by {100 * move:+.0f} % with the next step."))

    with solara.Card("Push the price"), solara.Row(style={"flex-wrap": "wrap"}):
        for move in _MOVES:
            solara.Button(f"{100 * move:+.0f} %", on_click=lambda move=move: press(move))
    fund, unit = model.fund, model.fund_scenario.exchange.unit
    said = pushed[1] if pushed[0] == model.clock else ""
    solara.Text(f"{model.hours:.1f} h: mark {model.mark:,.6g} USD; fund {fund:,.0f} {unit}. {said}")


@solara.component
def Watch() -> None:  # noqa: N802
    """Show the reference model, live."""
    model = solara.use_memo(lambda: PushedModel(start(CONFIG)), [])
    SolaraViz(
        solara.use_reactive(model),
        components=[
            Push,
            *(make_plot_component({name: color}) for name, color in (("mark", "#222222"), ("fund", "#009E73"))),
            make_plot_component({"open_interest": "#0072B2"}),
            Map,
        ],
        model_params=sliders(model.fund_scenario),
        name=f"fundstress: {model.fund_scenario.run.name}",
    )


@solara.component
def Runs() -> None:  # noqa: N802
    """Open the folder of a finished run, or of a sweep."""
    folder, choose = solara.use_state(os.environ.get(RUN, ""))
    solara.InputText("Folder of a finished run or sweep", value=folder, on_value=choose)
    if not folder:
        solara.Info("Give the folder of a finished run or of a sweep, e.g. runs/mine.")
        return
    try:
        if is_sweep(Path(folder)):
            Points(load_sweep(folder))
        else:
            Run(load_run(Path(folder)), finished_page(Path(folder)))
    except ScenarioError as error:
        solara.Error(str(error))


@solara.component
def Points(sweep: Sweep) -> None:  # noqa: N802
    """Show the points of a sweep, filtered by its axes, its figures, and which inputs matter."""
    kept, keep = solara.use_state({})
    with solara.lab.Tabs():
        with solara.lab.Tab("Points"):
            frame = sweep.to_pandas()
            for axis in sweep.axes:
                Between(axis, frame[axis], kept.get(axis), lambda chosen, axis=axis: keep({**kept, axis: chosen}))
            chosen = within(frame, kept)
            solara.Text(f"{len(chosen):,} of {len(frame):,} points")
            solara.DataFrame(readable(chosen), items_per_page=20)
        with solara.lab.Tab("Figures"):
            for name, axes in plots.sweep_figures(sweep):
                solara.FigureMatplotlib(axes.figure, format="png", dependencies=[name, sweep.about["plan_sha256"]])
        with solara.lab.Tab("Inputs"):
            Inputs(sweep)


@solara.component
def Between(name: str, values: Any, chosen: Any, choose: Callable[[Any], None]) -> None:  # noqa: N802
    """Choose a range of numbers, or some of the texts."""
    if values.dtype.kind == "f":
        ends = float(values.min()), float(values.max())
        if ends[0] < ends[1]:
            step = (ends[1] - ends[0]) / 100.0
            solara.SliderRangeFloat(name, value=chosen or ends, min=ends[0], max=ends[1], step=step, on_value=choose)
    else:
        solara.SelectMultiple(name, values=chosen or [], all_values=sorted(set(values)), on_value=choose)


@solara.component
def Inputs(sweep: Sweep) -> None:  # noqa: N802
    """Show which inputs move the reserve, where the design can tell."""
    found = judged(sweep)
    if found is None:
        solara.Info("This design was not made for sensitivities; use saltelli or morris.")
        return
    solara.FigureMatplotlib(plots.tornado(found).figure, format="png")
    for table in effects(found, Words("en")):
        solara.HTML("div", unsafe_innerHTML=_html(table))


@solara.component
def Run(run: FinishedRun, page: str) -> None:  # noqa: N802
    """Show the page, the tables, filtered by a word, and the figures of a run."""
    word, search = solara.use_state("")
    made = solara.use_memo(lambda: document([run], Words("en")), [run.folder])
    with solara.lab.Tabs():
        with solara.lab.Tab("Page"):
            solara.Preformatted(page)
        with solara.lab.Tab("Tables"):
            solara.InputText("Only tables whose title has", value=word, on_value=search)
            for _, table in made.tables:
                if word.lower() in table.title.lower():
                    solara.HTML("div", unsafe_innerHTML=_html(table))
        with solara.lab.Tab("Figures"):
            for figure in run.figures:
                solara.HTML("img", attributes={"src": figure.uri, "alt": figure.alt, "style": "max-width: 100%"})


def _html(table: Any) -> str:
    """Return a table as the report has it."""
    from markupsafe import escape

    head = "".join(f"<th scope='col'>{escape(text)}</th>" for text in table.head)
    rows = ("".join(f"<td>{escape(shown(cell))}</td>" for cell in row) for row in table.rows)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<h3>{escape(table.title)}</h3><table cellpadding='4'><tr>{head}</tr>{body}</table>"


routes = [
    solara.Route(path="/", component=Watch, label="Watch one path"),
    solara.Route(path="runs", component=Runs, label="Open a run"),
]
