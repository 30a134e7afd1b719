"""Recipes in files: read by name or path, with variants and overrides applied."""

from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

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

    A recipe file may have ``variants``: named groups of keys to change. ``variant=NAME`` applies one.

    Raises:
        UsageError: for an unknown recipe, an override that is no assignment, or wrong keys or values, which
            are all named at once.
        InputError: if the YAML cannot be read.
    """
    content = _parsed(_text_of(source), source)
    variants = content.pop("variants", {})
    applied = [o.removeprefix("variant=") for o in overrides or [] if o.startswith("variant=")]
    for name in applied:
        content = _merged(content, _variant(variants, name, source))
    if applied:
        content["variant"] = " ".join(applied)
    for override in overrides or []:
        if not override.startswith("variant="):
            _apply(content, override)
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
        raise UsageError(f"recipe {source} has no such variant", got=name, allowed=variants or "none")
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


def _apply(content: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    if not equals or not key:
        raise UsageError("an override must be KEY=VALUE", got=override, hint="for example optimizer.lr=2e-4")
    *parents, last = key.split(".")
    group: Any = content
    for parent in parents:
        group = group.setdefault(parent, {})
        if not isinstance(group, dict):
            raise UsageError(f"override {override}: {parent} has no keys below it")
    group[last] = _value(value)


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
    place = ".".join(str(part) for part in problem["loc"])
    if problem["type"] != "extra_forbidden":
        return f"{place}: {problem['msg']}, got {problem['input']!r}" if place else problem["msg"]
    hint = did_you_mean(str(problem["loc"][-1]), _all_keys())
    return f"unknown key {place}" + (f", {hint}" if hint else "")


def _all_keys() -> set[str]:
    return {key for group in _groups(Options) for key in group.model_fields}


def _groups(base: type[Options]) -> Iterator[type[Options]]:
    for group in base.__subclasses__():
        yield group
        yield from _groups(group)
