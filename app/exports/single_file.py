"""Inlines the JavaScript modules and CSS into one HTML file, by an import map of data URLs.

A module in a `data:` address cannot name a neighbour by a relative path, so each import is rewritten to a bare name
and an import map says where the names are. Nothing else in a module is touched.
"""

from __future__ import annotations

import base64
import json
import posixpath
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from app.serving import frontend

ROOT = "inside/"  # before the path of a module, to make a bare name of it
ENTRY = "frozen/page.js"
VIEWS = "views/index.js"
_IMPORT = re.compile(r"""(^|\n)((?:import|export)\b[^;'"]*?\bfrom\s*|import\s*)(["'])(\.[^"']+)\3""")


def modules(views: Iterable[str], *, root: Path = frontend.STATIC) -> dict[str, str]:
    """Every module that the saved page needs, by its path, with its imports rewritten.

    Args:
        views: names of the views that it shows, in order; the modules of the others stay away.
        root: the folder of our static files.
    """
    found: dict[str, str] = {}
    wanted = [ENTRY]
    while wanted:
        path = wanted.pop()
        if path in found:
            continue
        source = registry(views) if path == VIEWS else (root / path).read_text(encoding="utf-8")
        wanted += [_beside(path, match[4]) for match in _IMPORT.finditer(source)]
        found[path] = _IMPORT.sub(lambda match, path=path: _rewritten(match, path), source)  # type: ignore[misc]
    return found


def registry(views: Iterable[str]) -> str:
    """The module that lists the views, with these alone."""
    names = list(views)
    lines = [f'import * as {name} from "./{name}/view.js";' for name in names]
    return "\n".join([*lines, f"export const VIEWS = {{ {', '.join(names)} }};", ""])


def known_views() -> list[str]:
    """Names of the page's views, in the order of their tabs."""
    source = (frontend.STATIC / VIEWS).read_text(encoding="utf-8")
    listed = re.search(r"export const VIEWS = \{([^}]*)\}", source)
    return re.findall(r"\w+", listed[1]) if listed else []


def shown_views(view: str, wanted: Collection[str]) -> list[str]:
    """The view itself and those of the wanted that need no plotly, in the order of their tabs."""
    return [name for name in known_views() if name == view or (name in wanted and not needs_plotly(modules([name])))]


def import_map(sources: Mapping[str, str]) -> str:
    """The import map that leads each bare name to its module."""
    return json.dumps({"imports": {ROOT + path: _data_url(source) for path, source in sorted(sources.items())}})


def styles() -> str:
    """Gradio's variables in the page's colours, and every file of styles of ours."""
    own = [frontend.STATIC / name for name in frontend.styles()]
    return "\n".join([frontend.theme()._get_theme_css(), *(path.read_text(encoding="utf-8") for path in own)])


def needs_plotly(sources: Mapping[str, str]) -> bool:
    """Whether any of these modules would fetch plotly's script."""
    return any("plotly.min.js" in source for source in sources.values())


def plotly() -> str:
    """Plotly's own script, as a script that stands in the page."""
    return frontend.PLOTLY.read_text(encoding="utf-8").replace("</script", "<\\/script")


def _beside(path: str, relative: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), relative))


def _rewritten(match: re.Match[str], path: str) -> str:
    return f'{match[1]}{match[2]}"{ROOT}{_beside(path, match[4])}"'


def _data_url(source: str) -> str:
    return "data:text/javascript;base64," + base64.b64encode(source.encode()).decode("ascii")
