"""One template per cmdlet, one line of text per invocation.

Templates never quote: every printed value passes `literal`.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

from reconciler.errors import RenderFault
from reconciler.powershell.catalogue import bind
from reconciler.powershell.literals import literal

if TYPE_CHECKING:
    from jinja2 import Environment, Template

    from reconciler.canonical import Json
    from reconciler.model.plans import Invocation


def render(invocation: Invocation) -> str:
    """Write an invocation as the one line that PowerShell will run: `Cmdlet -Name:value
    -Name:value`.

    Parameters come in the template's order, whatever their order in the invocation; each of them
    is in the text.

    Raises:
        BindingFault: the catalogue does not bind it, or it is refused.
        UnfitText: a text holds a character that is never rendered.
        RenderFault: a value has no literal, or the template does not write a given parameter.
    """
    bind(invocation)
    template = _template(invocation.cmdlet, frozenset(invocation.parameters))
    from jinja2 import UndefinedError  # noqa: PLC0415  lazy: only who renders loads Jinja2

    try:
        return template.render(invocation.parameters)
    except UndefinedError as missing:
        raise RenderFault(
            f"cannot render {invocation.cmdlet}: {missing.message}; add the parameter"
        ) from None


@lru_cache(maxsize=256)
def _template(cmdlet: str, given: frozenset[str]) -> Template:
    template, names = _compiled(cmdlet)
    forgotten = given - names
    if forgotten:
        raise RenderFault(
            f"the template of {cmdlet} does not use {' '.join(sorted(forgotten))}; omit it"
        )
    return template


@cache
def written_parameters(cmdlet: str) -> frozenset[str]:
    """The parameters that a cmdlet's template writes: all that the product ever gives it.

    Raises:
        RenderFault: the cmdlet has no template.
    """
    return _compiled(cmdlet)[1]


@cache
def _compiled(cmdlet: str) -> tuple[Template, frozenset[str]]:
    """A template and the names in it, from one parse: start-up is paid by every run."""
    from jinja2 import TemplateNotFound, nodes  # noqa: PLC0415  lazy: only who renders loads Jinja2

    environment, name = _environment(), f"{cmdlet}.j2"
    try:
        source, file, _ = environment.loader.get_source(environment, name)  # type: ignore[union-attr]
    except TemplateNotFound:
        raise RenderFault(f"{cmdlet} has no template") from None
    tree = environment.parse(source, name, file)
    # Each is a parameter: templates set no variables, and there are no globals.
    names = frozenset(node.name for node in tree.find_all(nodes.Name))
    return (
        environment.template_class.from_code(
            environment, environment.compile(tree, name, file), {}
        ),
        names,
    )


@cache
def _environment() -> Environment:
    from jinja2 import (  # noqa: PLC0415
        Environment,
        PackageLoader,
        StrictUndefined,
    )

    def quoted(value: Json | StrictUndefined) -> str:
        # `str` raises, and names what is undefined
        return str(value) if isinstance(value, StrictUndefined) else literal(value)

    environment = Environment(  # noqa: S701  autoescape is HTML's; `finalize` quotes for PowerShell
        loader=PackageLoader("reconciler.powershell", "templates"),
        undefined=StrictUndefined,
        finalize=quoted,  # for whatever `{{ }}` prints; a template's own words do not pass here
        auto_reload=False,
    )
    environment.globals.clear()  # a name that is not a parameter is undefined, and raises
    return environment
