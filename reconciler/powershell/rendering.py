"""One template per cmdlet, one line of text per invocation. Templates never quote: every printed value passes `literal`."""

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
    """Write an invocation as the one line that PowerShell will run: `Cmdlet -Name:value -Name:value`.

    Parameters stand in the template's order, whatever their order in the invocation; each of them is in the text.

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
        raise RenderFault(f"{invocation.cmdlet} cannot be written: {missing.message}; give the parameter") from None


@lru_cache(maxsize=256)
def _template(cmdlet: str, given: frozenset[str]) -> Template:
    forgotten = given - printed(cmdlet)
    if forgotten:
        raise RenderFault(f"the template of {cmdlet} does not write {' '.join(sorted(forgotten))}; leave it out")
    return _environment().get_template(f"{cmdlet}.j2")


@cache
def printed(cmdlet: str) -> frozenset[str]:
    """The parameters that a cmdlet's template writes: all that the product ever gives it.

    Raises:
        RenderFault: the cmdlet has no template.
    """
    from jinja2 import TemplateNotFound, meta  # noqa: PLC0415  lazy: only who renders loads Jinja2

    environment = _environment()
    try:
        source, _, _ = environment.loader.get_source(environment, f"{cmdlet}.j2")  # type: ignore[union-attr]
    except TemplateNotFound:
        raise RenderFault(f"{cmdlet} has no template") from None
    return frozenset(meta.find_undeclared_variables(environment.parse(source)))


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415  lazy: only who renders loads Jinja2

    def quoted(value: Json | StrictUndefined) -> str:
        return str(value) if isinstance(value, StrictUndefined) else literal(value)  # str raises, and names what is undefined

    environment = Environment(  # noqa: S701  autoescape is HTML's; `finalize` quotes for PowerShell
        loader=PackageLoader("reconciler.powershell", "templates"),
        undefined=StrictUndefined,
        finalize=quoted,  # for whatever `{{ }}` prints; a template's own words do not pass here
        auto_reload=False,
    )
    environment.globals.clear()  # a name that is no parameter is undefined, and raises
    return environment
