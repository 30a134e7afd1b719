"""Recipes in files: read by name or path, with variants and overrides applied."""

import re
from importlib import resources
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import ValidationError

from relume.errors import InputError, UsageError
from relume.suggestions import did_you_mean
from relume.train.options import Options
from relume.train.recipe import Recipe

FREE_NAMES = ("taps", "licences")
"""Groups whose keys are no recipe keys: a variant's replace the old ones as a whole."""


def list_recipes() -> list[str]:
    """Names of the recipes that come with relume."""
    folder = resources.files("relume") / "recipes"
    return sorted(item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml"))


def load_recipe(source: str | Path, overrides: list[str] | None = None) -> Recipe:
    """Read a recipe by name or path, then apply ``key.key=value`` overrides (values are YAML).

    A recipe file may have ``variants``: named groups of keys to change. ``variant=NAME`` applies one. Another
    ``kind`` of a group, ``degradation.kind=given``, takes the keys of the old one with it.

    Raises:
        UsageError: for an unknown recipe, an override that is no assignment, or wrong keys or values, which
            are all named at once.
        InputError: if the YAML cannot be read.
    """
    content = _parsed(_text_of(source), source)
    variants = content.pop("variants", {})
    applied = [o.removeprefix("variant=") for o in overrides or [] if o.startswith("variant=")]
    changes = [o for o in overrides or [] if not o.startswith("variant=")]
    for name in applied:
        content = _merged(content, _variant(variants, name, source))
    if applied:
        content["variant"] = " ".join(applied)
    for path, value in sorted(map(_assignment, changes), key=_sets_no_kind):
        content = _changed(content, path, value, [Recipe])
    try:
        return recipe_from(content, source)
    except InputError as error:
        raise UsageError(error.what) from error


def recipe_from(content: dict[str, Any], source: object) -> Recipe:
    """Validate a recipe's content; ``source`` names it in errors.

    Raises:
        InputError: if keys or values are wrong.
    """
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        problems = "; ".join(_told(problem) for problem in error.errors())
        raise InputError(f"recipe {source}: {problems}") from error


def _text_of(source: str | Path) -> str:
    path = Path(source)
    if path.suffix in {".yaml", ".yml"}:
        if not path.is_file():
            raise UsageError(f"recipe file {path} does not exist")
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"cannot read the recipe {path}", got=error, allowed="YAML in UTF-8") from error
    names = list_recipes()
    if str(source) not in names:
        hint = did_you_mean(str(source), names) or "or give a path ending in .yaml"
        raise UsageError("unknown recipe", got=source, allowed=names, hint=hint)
    return (resources.files("relume") / "recipes" / f"{source}.yaml").read_text(encoding="utf-8")


def _parsed(text: str, source: object) -> dict[str, Any]:
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"recipe {source} is not valid YAML", got=" ".join(str(error).split())) from error
    if not isinstance(content, dict):
        raise InputError(
            f"recipe {source} is no mapping", got=type(content).__name__, allowed="key: value lines"
        )
    return content


def _variant(variants: dict[str, dict[str, Any]], name: str, source: object) -> dict[str, Any]:
    if name not in variants:
        raise UsageError(
            f"recipe {source} has no such variant",
            got=name,
            allowed=variants or "none",
            hint=did_you_mean(name, variants),
        )
    return variants[name]


def _merged(content: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Nested keys are changed one by one; a group of another ``kind``, and one of free names, is replaced."""
    merged = dict(content)
    for key, value in changes.items():
        old = None if key in FREE_NAMES else merged.get(key)
        if isinstance(old, dict) and isinstance(value, dict) and value.get("kind") in {None, old.get("kind")}:
            merged[key] = _merged(old, value)
        else:
            merged[key] = value
    return merged


def _assignment(override: str) -> tuple[list[str], Any]:
    key, equals, value = override.partition("=")
    if not equals or not key:
        raise UsageError("an override must be KEY=VALUE", got=override, hint="for example optimizer.lr=2e-4")
    return key.split("."), _value(value)


def _sets_no_kind(assignment: tuple[list[str], Any]) -> bool:
    """For sorting: kinds come first, as they drop keys, and keys beside them belong to the new kind."""
    return assignment[0][-1] != "kind"


def _changed(
    content: dict[str, Any], path: list[str], value: Any, groups: list[type[Options]]
) -> dict[str, Any]:
    """A copy of the content of one of these groups, in which one key has another value."""
    key, *below = path
    if below:
        inner = content.get(key, {})
        if not isinstance(inner, dict):
            raise UsageError(f"cannot override {'.'.join(path)}: {key} has no keys below it")
        value = _changed(inner, below, value, _below(key, groups))
    elif key == "kind" and len(groups) > 1 and content.get(key, value) != value:
        return {key: value}
    return {**content, key: value}


def _value(text: str) -> Any:
    """YAML, but 2e-4 is a number here as everywhere else (YAML 1.1 wants 2.0e-4)."""
    try:
        return float(text) if "e" in text.lower() else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError):
        pass
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def _told(problem: Any) -> str:
    *parents, last = problem["loc"] or ("",)
    path: list[str | int] = []
    groups: list[type[Options]] = [Recipe]
    for part in parents:
        chosen = _of_kind(part, groups)
        if not chosen:  # the kind is in the place, but nobody wrote it there
            path.append(part)
        groups = chosen or _below(part, groups)
    last = str(last)
    place = ".".join([*map(str, path), last])
    if problem["type"] == "extra_forbidden":
        known = {key for group in groups for key in group.model_fields}
        return _hinted(f"unknown key {place}", did_you_mean(last, known, prefix=place.removesuffix(last)))
    if problem["type"] == "union_tag_invalid":
        kinds, got = problem["ctx"]["expected_tags"], problem["ctx"]["tag"]
        return _hinted(f"{place}.kind: Input should be one of {kinds}, got {got!r}", _meant(got, kinds))
    if problem["type"] == "union_tag_not_found":
        return f"{place}.kind: Field required"
    told = f"{place}: {problem['msg']}, got {problem['input']!r}" if place else problem["msg"]
    if problem["type"] == "literal_error":
        return _hinted(told, _meant(str(problem["input"]), problem["ctx"]["expected"]))
    return told


def _meant(word: str, quoted: str) -> str | None:
    return did_you_mean(word, re.findall("'([^']+)'", quoted))


def _hinted(text: str, hint: str | None) -> str:
    return f"{text}, {hint}" if hint else text


def _of_kind(part: str | int, groups: list[type[Options]]) -> list[type[Options]]:
    kinds = [group for group in groups if "kind" in group.model_fields]
    return [group for group in kinds if part in get_args(group.model_fields["kind"].annotation)]


def _below(part: str | int, groups: list[type[Options]]) -> list[type[Options]]:
    """The groups that may be at a key of these; numbers and free names lead nowhere else."""
    fields = [group.model_fields[part] for group in groups if part in group.model_fields]
    return [group for field in fields for group in _groups_in(field.annotation)] if fields else groups


def _groups_in(annotation: Any) -> list[type[Options]]:
    if isinstance(annotation, type) and issubclass(annotation, Options):
        return [annotation]
    return [group for inner in get_args(annotation) for group in _groups_in(inner)]
