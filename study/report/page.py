"""The report as one HTML file that needs nothing beside it: tables, plots, sounds, claims.

Reads what the parts hold. Knows no figures of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from study.report import plots
from study.report.claims import Verdict, around, number

FRAME = Path(__file__).parent / "page.html"
KINDS = {"paper": "paper", "floor": "floor", "ceiling": "ceiling", "model": "checkpoint", "ours": ""}
RULE = (
    "A claim is a difference and the side that it says. It <b>agrees</b> where our interval of 95 % lies "
    "wholly on that side of no difference (of a claim that two are alike: within the margin), "
    "<b>disagrees</b> where it lies wholly on the other, and <b>cannot be told at this size</b> else, as "
    "with fewer than five items. Intervals are by the bootstrap over clips, spans or rounds, widened as "
    "Student's t is for so few."
)


def cell(value: Any) -> str:
    """A figure, with its interval where it has one."""
    if value is None:
        return '<td class="none">-</td>'
    if isinstance(value, str):
        return f"<td>{escape(value)}</td>"
    if isinstance(value, dict):
        if value["value"] is None:
            return '<td class="none">-</td>'
        around = ""
        if value["low"] is not None and value["high"] is not None:
            around = f" <small>[{number(value['low'])}, {number(value['high'])}]</small>"
        return f"<td>{number(value['value'])}{around}</td>"
    return f"<td>{number(float(value))}</td>"


def table(told: dict[str, Any]) -> str:
    """One table, its rows marked as ours, the paper's, floor or ceiling."""
    columns = [c for c in told["columns"] if any(c in each["cells"] for each in told["rows"])]
    head = "".join(f"<th scope='col'>{escape(c)}</th>" for c in columns)
    body = []
    for each in told["rows"]:
        mark = KINDS.get(each["kind"], "")
        tag = f' <span class="tag">{mark}</span>' if mark else ""
        cells = "".join(cell(each["cells"].get(c)) for c in columns)
        body.append(
            f'<tr class="{each["kind"]}"><th scope="row">{escape(each["name"])}{tag}</th>{cells}</tr>'
        )
    of = f' <span class="of">{escape(told["of"])}</span>' if told.get("of") else ""
    note = f'<p class="note">{escape(told["note"])}</p>' if told["note"] else ""
    return (
        f"<h3>{escape(told['title'])}{of}</h3><div class='wide' tabindex='0'><table><thead><tr><th></th>"
        f"{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>{note}"
    )


def curve(told: dict[str, Any]) -> str:
    """One plot with its legend."""
    drawn = plots.svg(told)
    if not drawn:
        return ""
    return (
        f"<figure><figcaption>{escape(told['title'])} <small>({escape(told['y'])})</small></figcaption>"
        f"{drawn}{plots.legend(told['series'])}</figure>"
    )


def sounds(told: Sequence[dict[str, str]]) -> str:
    """Players, those of one title together."""
    titles = dict.fromkeys(each["title"] for each in told)
    groups = []
    for title in titles:
        players = "".join(
            f"<label>{escape(each['row'])}<audio controls preload='none' src='{each['uri']}'></audio></label>"
            for each in told
            if each["title"] == title
        )
        groups.append(
            f"<details><summary>{escape(title)}</summary><div class='sounds'>{players}</div></details>"
        )
    return f"<h3>To hear</h3>{''.join(groups)}" if groups else ""


def missing(told: Sequence[dict[str, str]]) -> str:
    """What was not run, why, and the command."""
    if not told:
        return ""
    rows = "".join(
        f"<li><b>{escape(m['what'])}</b>: not run; {escape(m['why'])}"
        + (f" <code>{escape(m['how'])}</code>" if m["how"] else "")
        + "</li>"
        for m in told
    )
    return f"<h3>Not run</h3><ul class='missing'>{rows}</ul>"


def section(part: dict[str, Any], size: str) -> str:
    """One part."""
    made = part["size"]["name"]
    other = f" <b>Made at size {escape(made)}, not {escape(size)}.</b>" if made != size else ""
    notes = "".join(f"<p class='note'>{escape(note)}</p>" for note in part["notes"])
    told = (
        f"Size {escape(made)}, bundle {escape(Path(part['bundle']).name)}, {escape(part['made'])}: "
        f"{part['wall']:.0f} s, {part['cpu']:.0f} s of the processor on {part['cores']} cores."
    )
    return (
        f"<section id='{escape(part['name'])}'><h2>{escape(part['title'])}</h2>"
        f"<p class='about'>{escape(part['about'])}</p>"
        f"{''.join(table(t) for t in part['tables'])}{notes}"
        f"<div class='plots'>{''.join(curve(c) for c in part['curves'])}</div>"
        f"{sounds(part['sounds'])}{missing(part['missing'])}<p class='made'>{told}{other}</p></section>"
    )


def claimed(found: Sequence[Verdict]) -> str:
    """The table of claims, in the order of Table 1."""
    body, axis = [], ""
    for v in found:
        if v.claim.axis != axis:
            axis = v.claim.axis
            body.append(f"<tr class='axis'><th colspan='4' scope='colgroup'>{escape(axis)}</th></tr>")
        e = v.figure
        ours = "not run" if e is None else (
            f"<b>{number(e.value)}</b> <small>{around(e)}</small>"
        )  # fmt: skip
        how = f"<br><code>{escape(v.claim.how)}</code>" if v.claim.how and v.says == "not run" else ""
        body.append(
            f"<tr><td>{escape(v.claim.words)}</td><td>{escape(v.claim.paper)}</td>"
            f"<td>{escape(v.claim.what)}: {ours}{how}</td>"
            f"<td><span class='verdict {v.says.split()[0]}'>{escape(v.says)}</span></td></tr>"
        )
    return (
        "<section id='claims'><h2>Table 1, re-measured</h2>"
        "<p class='about'>The paper's conclusions, in our words, against our small models.</p>"
        "<div class='wide' tabindex='0'><table class='claims'><thead><tr><th>It says</th><th>Its figure</th>"
        f"<th>Ours</th><th></th></tr></thead><tbody>{''.join(body)}</tbody></table></div>"
        f"<p class='note'>{RULE}</p></section>"
    )


def page(
    parts: Sequence[dict[str, Any]],
    found: Sequence[Verdict],
    against: Sequence[str],
    absent: Sequence[tuple[str, str]],
    size: str,
    card: str,
) -> str:
    """The whole file. `absent`: parts that are not there, each with the command that makes it."""
    links = "".join(f"<a href='#{escape(p['name'])}'>{escape(p['title'])}</a>" for p in parts)
    wall, cpu = (sum(p[k] for p in parts) for k in ("wall", "cpu"))
    named = "".join(f"<li>{escape(words)}</li>" for words in against)
    disputed = (
        "<section id='card'><h2>Against the model card</h2>"
        + (f"<ul>{named}</ul>" if named else "<p>No figure here lies outside what the card says of it.</p>")
        + "<p class='note'>Figures that both have: chord IOU and melody chroma of clips with all lanes.</p>"
        "</section>"
    )
    lack = missing([{"what": what, "why": "this part was not asked for", "how": how} for what, how in absent])
    told = {
        "__NAME__": escape(card),
        "__MINUTES__": f"{wall / 60:.1f}",
        "__CPU__": f"{cpu / 60:.1f}",
        "__LINKS__": links,
        "__BODY__": claimed(found) + disputed + "".join(section(part, size) for part in parts) + lack,
    }
    made = FRAME.read_text()
    for place, words in told.items():
        made = made.replace(place, words)
    return made
