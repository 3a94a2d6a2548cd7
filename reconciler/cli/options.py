"""Options that several commands have."""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.characters import has_surrogate
from reconciler.cli import collecting
from reconciler.errors import UsageFault
from reconciler.guids import EMPTY_GUID
from reconciler.model.addresses import PROVIDERS
from reconciler.reports.markdown.limits import LEAST_BYTES, MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Command = Callable[..., Any]

DEFAULT_PATHS = (Path("policies"),)
_FREE_TEXTS = frozenset({"reason", "tenant"})
"""Parameters with texts in which any id may be: why something is accepted, and the name of a file."""
_FILE = click.Path(path_type=Path, dir_okay=False)


def paths(
    _ctx: click.Context, _parameter: click.Parameter, value: tuple[Path, ...]
) -> tuple[Path, ...]:
    """The documents that are meant; `policies` if none are named."""
    return value or DEFAULT_PATHS


class Reporting(click.Command):
    """A command that has an envelope."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, unless the envelope would be written over what is read."""
        collected = collecting.current()
        collected.command = _words(ctx)
        if (events := ctx.params.get("events")) is not None:
            others = {name: value for name, value in ctx.params.items() if name != "events"}
            _assert_spares("--events", events, others)
        if collected.json_into is not None:
            file, collected.json_into = collected.json_into, None
            _assert_spares("--json-into", file, ctx.params)
            _assert_folder(file)
            collected.json_into = file
        _assert_names(ctx.params)
        collected.began = True
        return super().invoke(ctx)


def _words(ctx: click.Context) -> str:
    """A command by its words: `plan`, `ci plan`."""
    above = "" if ctx.parent is None or ctx.parent.parent is None else f"{_words(ctx.parent)} "
    return f"{above}{ctx.info_name or ''}"


def _assert_spares(option: str, file: Path, params: Mapping[str, Any]) -> None:
    """See to it that an option names no file that the run reads or writes otherwise.

    Raises:
        UsageFault: it does.
    """
    from reconciler.cli import sources  # noqa: PLC0415  lazy: only if there is such a file

    paths = [
        path
        for value in params.values()
        for path in (value if isinstance(value, tuple) else (value,))
        if isinstance(path, Path)
    ]
    if (tenant := sources.file_of(params.get("tenant"))) is not None:
        sources.assert_tenant_spared([tenant], [file])
    sources.assert_documents_spared([*paths, *DEFAULT_PATHS], [file])
    if any(_same(file, path) for path in paths):
        raise UsageFault(f"{option} {file}: another option names this file: choose another one")


def _assert_names(params: Mapping[str, Any]) -> None:
    """See to it that no typed name holds the all-zero GUID, and that each is Unicode: bytes that are
    not UTF-8 reach a program as lone surrogates.

    Raises:
        UsageFault: one does, or is not.
    """
    names = (
        text
        for option, value in params.items()
        for text in (value if isinstance(value, tuple) else (value,))
        if option not in _FREE_TEXTS and isinstance(text, str)
    )
    for name in names:
        if EMPTY_GUID in name:
            raise UsageFault(f"`{EMPTY_GUID}` does not identify an object: write the real id")
        if has_surrogate(name):
            raise UsageFault(f"{name!a} is not valid Unicode text: type it again")


def _assert_folder(file: Path) -> None:
    """See to it that the envelope can be written, before anything is done that it tells of.

    Raises:
        UsageFault: its folder does not exist.
    """
    if not file.absolute().parent.is_dir():
        raise UsageFault(f"--json-into {file}: folder not found: create it, or name another file")


def _same(file: Path, path: Path) -> bool:
    return file.samefile(path) if file.is_file() and path.exists() else file == path


def remember_format(_ctx: click.Context, _parameter: click.Parameter, value: str) -> str:
    """Let whatever is reported come in the format that was asked for."""
    collecting.current().form = value
    return value


def _remember_file(_ctx: click.Context, _parameter: click.Parameter, value: Path | None) -> None:
    collecting.current().json_into = value


def remember_typed(fault: click.UsageError, typed: Sequence[str]) -> None:
    """What asks for the envelope on a command line that could not be read to its end."""
    collected = collecting.current()
    if fault.ctx is not None and fault.ctx.parent is not None:
        collected.command = _words(fault.ctx)
    values = dict(_typed_values(typed))
    collected.form = collected.form or values.get("--format")
    if collected.json_into is None and not collected.began and values.get("--json-into"):
        collected.json_into = Path(values["--json-into"])


def _typed_values(typed: Sequence[str]) -> Iterator[tuple[str, str]]:
    for word, following in zip_longest(typed, typed[1:], fillvalue=""):
        name, _, value = word.partition("=")
        yield name, value or following


documents = click.argument(
    "paths", nargs=-1, type=click.Path(path_type=Path), callback=paths, metavar="[PATH]..."
)

more_documents = click.option(
    "--path",
    "more",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Documents: a YAML file or a folder of them. Repeatable; default: `policies`, if it exists.",
)


def all_paths(paths: Sequence[Path], more: Sequence[Path]) -> tuple[Path, ...]:
    """Documents of arguments and of `--path`; `policies` if none are named."""
    typed = () if tuple(paths) == DEFAULT_PATHS and more else tuple(paths)
    return (*typed, *more) or DEFAULT_PATHS


tenant = click.option(
    "--tenant",
    envvar="RECONCILER_TENANT",
    show_envvar=True,
    metavar="CAPTURE.json|sim:FILE|live",
    help=(
        "Where the observed state comes from and where steps go: a capture file (read-only), a"
        " simulated tenant kept in FILE, or the tenant itself through PowerShell (the Tenant"
        " document says how to sign in). Default: the simulated tenant that comes with reconciler,"
        " while the documents are for it."
    ),
)

product = click.option(
    "--product",
    type=click.Choice(PROVIDERS),
    help="The product of the script, with --format powershell.",
)


ids = click.option("--ids", is_flag=True, help="Show every id beside its name.")
_COMMANDS = click.option(
    "--commands", is_flag=True, help="Show every command, however many there are."
)


def viewing(command: Command) -> Command:
    """The options of a plan's text: ids, and all commands."""
    return ids(_COMMANDS(command))


class _Bytes(click.ParamType[int]):
    """How large a report may be."""

    name = "bytes"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a number that is not too small."""
        number = click.INT.convert(value, param, ctx)
        if number < LEAST_BYTES:
            self.fail(
                f"{number} is less than the {LEAST_BYTES} bytes that the verdict and its counts need:"
                f" give {LEAST_BYTES} or more, or leave the option out for {MAX_BYTES}",
                param,
                ctx,
            )
        return int(number)


def called_otherwise(typed: str, command: click.Command) -> list[str]:
    """The options of a command that take what an option that it has not is called after: of `--user`
    the one that takes a USER. None, if that is what the command takes without an option.
    """
    word = typed.lstrip("-").replace("-", "_").lower()
    alike = [each for each in command.params if word == each.name or word in _taken(each)]
    if any(isinstance(each, click.Argument) for each in alike):
        return []
    return [each.opts[0] for each in alike]


def _taken(parameter: click.Parameter) -> list[str]:
    """What a parameter takes, as help calls it: `CAPTURE.json|live` is a capture, or live."""
    names = (parameter.metavar or "").lower().strip("[].").split("|")
    return [name.removesuffix(".json") for name in names]


class PlanFile(click.Path):
    """The file of a plan, which has to be there."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Read the name of a file.

        Raises:
            click.BadParameter: there is none, or it is a folder.
        """
        file = Path(value)
        advice = "name a file that `reconciler plan --out FILE` wrote"
        if file.is_dir():
            self.fail(f"{str(file)!r} is a folder: {advice}", param, ctx)
        if not file.exists():
            self.fail(f"{str(file)!r} does not exist: {advice}", param, ctx)
        return file


max_bytes = click.option(
    "--max-bytes",
    type=_Bytes(),
    metavar="BYTES",
    help=(
        f"With --format markdown: how large it may be; what is cut is counted at the top. Default:"
        f" {MAX_BYTES}, for a comment on GitHub; 1048576 for a step summary, 150000 for a comment"
        " on Azure DevOps."
    ),
)


def _remember_redaction(
    _ctx: click.Context, _parameter: click.Parameter, value: str | None
) -> str | None:
    """Until a plan tells who is a person, whatever is said names nobody."""
    if value is not None:
        from reconciler.reports.redaction import Unplanned  # noqa: PLC0415  lazy: seldom asked for

        collecting.current().redaction = Unplanned()
    return value


redact = click.option(
    "--redact",
    type=click.Choice(["names"]),
    is_eager=True,
    callback=_remember_redaction,
    help=(
        "Show people as Person 1, Person 2 and so on, by their ids, and no commands; applications,"
        " groups and policies keep their names."
    ),
)


def assert_max_bytes_taken(value: int | None, form: str) -> None:
    """See to it that `--max-bytes` is of a format that has it.

    Raises:
        UsageFault: it is not.
    """
    if value is not None and form != "markdown":
        raise UsageFault("--max-bytes requires --format markdown: no other format is cut")


max_age = click.option(
    "--max-age",
    type=click.IntRange(min=0),
    metavar="HOURS",
    help=(
        "Refuse a plan whose tenant was read more than HOURS ago. Default: a warning from 24 hours"
        " on. A simulated tenant has no age."
    ),
)


_JSON_INTO = click.option(
    "--json-into",
    type=_FILE,
    metavar="FILE",
    is_eager=True,
    expose_value=False,
    callback=_remember_file,
    help="Also write what --format json prints to FILE, whatever the exit code.",
)


def formats(*names: str, exposed: bool = True) -> Callable[[Command], Command]:
    """`--format`, with the first name as default, and `--json-into`; a command that is not
    `exposed` to the format prints its report, which is not shown where the envelope is.
    """
    form = click.option(
        "--format",
        "form",
        type=click.Choice(names),
        default=names[0],
        show_default=True,
        is_eager=True,  # what is wrong with the rest is reported in it
        callback=remember_format,
        expose_value=exposed,
        help="How to print the report.",
    )
    return lambda command: form(_JSON_INTO(command))


text_or_json = formats("text", "json", exposed=False)


def file_out(name: str, text: str, *, required: bool = False) -> Callable[[Command], Command]:
    """An option that names a file to write."""
    return click.option(name, type=_FILE, required=required, metavar="FILE", help=text)


_GROUP_CHANGES = click.option(
    "--group-changes",
    type=click.Choice(["in-place", "remove-add"]),
    default="in-place",
    show_default=True,
    help=(
        "How to change the policy or rank of a group that already has a Teams policy: in-place"
        " grants again (undocumented, fails safe); remove-add removes the old grant first"
        " (documented)."
    ),
)
allow = click.option(
    "--allow",
    multiple=True,
    metavar="RULE:ADDRESS",
    help=(
        "Consent to something that would be refused otherwise; the refusal prints the"
        " exact value, and names may stand for its ids. Repeatable."
    ),
)
_ONLY = click.option(
    "--only",
    multiple=True,
    metavar="ADDRESS",
    help=(
        "Plan only this object and hold everything else at its observed value: an address, with names"
        " or ids, or a name that only one object has. Repeatable."
    ),
)
_SKIP = click.option(
    "--skip",
    multiple=True,
    metavar="ADDRESS",
    help="Hold this object at its observed value; an address or a name, as for --only. Repeatable.",
)


journal = click.option(
    "--journal",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="The journal of the apply, if it was done elsewhere.",
)
journals = click.option(
    "--state-dir",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where `apply --state-dir` put journals.",
)
only_tenants = click.option(
    "--only",
    multiple=True,
    metavar="NAME",
    help="Only this tenant, by the name of its Tenant document. Repeatable.",
)
skip_tenants = click.option(
    "--skip", multiple=True, metavar="NAME", help="Not this tenant. Repeatable."
)


def planning(command: Command) -> Command:
    """The options of planning: consents, selection, and how a group's grant changes."""
    for decorate in (_GROUP_CHANGES, _SKIP, _ONLY, allow):
        command = decorate(command)
    return command
