"""What a model card says, in Markdown: a function of the card in the model's file, without running it."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from relume.archs import build
from relume.archs.base import fewest_parameters
from relume.card import ModelCard, Score
from relume.evaluate.golden import GOLDEN
from relume.train.degradations import DownsampleOptions
from relume.train.recipe import Recipe
from relume.train.recipe_files import list_recipes, load_recipe
from relume.zoo import ModelFile

ACTIONS = {"upscale": "enlarges", "deblur": "takes motion blur out of"}

INVENTED = (
    "**Details are invented.** No network knows what the input does not show: it paints what such places "
    "looked like in its training pictures. Letters, faces, textures and small patterns can come out wrong."
)
GUESSED = (
    "What the input does not show stays lost: trained to be right on average, it leaves such places smooth. "
    "Edges and letters it sharpens by what its training pictures looked like, which can be wrong."
)
ADVERSARIAL = (
    "It was trained against a discriminator to look real, not to be right: it adds grain and texture that "
    "were never there. Not for evidence, medicine, science or measuring. `--show-invented` draws where."
)
FACES = (
    "Trained on portraits alone: other pictures come out worse. It invents plausible faces: never use it to "
    "identify anyone."
)
CLEAN = (
    "Trained on clean inputs, made small by {kernel} resizing: noise, blur, JPEG's blocks and film grain are "
    "taken for detail and sharpened with the rest (see the last picture)."
)
GLOBAL = "Statistics of the whole picture enter the result: very large pictures cannot be restored in strips."
SHORT = (
    "The training pictures are few ({sources}): what they lack, such as text in other scripts or drawings, "
    "it has hardly seen."
)
EIGHT_BITS = "Convolutions run in 8 bits: a little less exact than `{plain}`, of which it was made."


def page(model: ModelFile) -> str:
    """The page of one model; its pictures are ``NAME-sample.webp``, ``-worst.webp`` and ``-damaged.webp``."""
    card = model.card
    parts = [
        f"# {card.name}",
        _quoted(card.description),
        _figure(card, "sample", _sample_caption(card)),
        _facts(model),
        f"```sh\nrelume {card.task} photo.jpg -n {card.name}\n```",
        "## Training",
        *_training(card),
        "## Scores",
        *_scores(card),
        "## Where it fails",
        _figure(card, "worst", _worst_caption(card)),
        _figure(card, "damaged", "Inputs that were saved as JPEG of quality 35."),
        "## Limits",
        "\n".join(f"- {limit}" for limit in _limits(card)),
        f"*Written by `relume models --cards` for the weights {card.weights_sha256[:16]}.*",
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def index(models: Sequence[ModelFile]) -> str:
    """The page that lists the models."""
    rows = [
        [
            f"[{model.card.name}]({model.card.name}.md)",
            f"{_num_parameters(model.card):,}",
            _megabytes(model),
            ", ".join(f"{s.dataset} {s.psnr:.2f}" for s in model.card.main_scores) or "not measured",
            model.card.description,
        ]
        for model in models
    ]
    return (
        "# Models that come with relume\n\n"
        + _table(["model", "parameters", "MB", "PSNR, dB", "for"], rows)
        + "\n\nA page each: what it is, what it was trained on, how good it is and where it fails. All\n"
        "are written by `relume models --cards docs/model-cards` from the cards in the model files and the\n"
        "pictures in `examples`. "
        "How they compare, and with published networks: [quality](../quality.md).\n"
    )


def _facts(model: ModelFile) -> str:
    card = model.card
    options = ", ".join(f"{key} {value}" for key, value in card.arch_options.items() if key != "scale")
    rows = [
        ["what it does", f"{ACTIONS[card.task]} pictures" + (f" ×{card.scale}" if card.scale > 1 else "")],
        ["network", f"`{card.arch}`" + (f" ({options})" if options else "")],
        ["parameters", f"{_num_parameters(card):,}"],
        ["file", f"`{model.path.name}`, {_megabytes(model)} MB"],
        ["looks at", f"{card.halo_px} pixels of the input around a pixel"],
        ["licence", card.licence],
    ]
    if card.counterpart:
        rows.append(["trained from", f"`{card.counterpart}`, to which `--strength 0` leads back"])
    return _table(["", ""], rows)


def _training(card: ModelCard) -> Iterator[str]:
    recipe = _recipe(card)
    if recipe:
        variant = f", `variant={card.variant}`" if card.variant else ""
        link = f"[`{card.recipe}`](../../src/relume/recipes/{card.recipe}.yaml)"
        yield f"Recipe {link}{variant}: {card.training}."
        yield f"Inputs: {_inputs(recipe)}"
    else:
        yield f"{card.training}."
    if card.calibration:
        yield f"8 bits: {card.calibration}."
    if card.perceptual_weights:
        yield f"The perceptual loss used VGG19: {card.perceptual_weights}."
    if card.training_data:
        yield _table(
            ["pictures", "licence"], [[source.name, source.licence] for source in card.training_data]
        )


def _inputs(recipe: Recipe) -> str:
    options = recipe.degradation
    if isinstance(options, DownsampleOptions):
        return f"sharp pictures made small by {options.kernel} resizing, as MATLAB does it."
    return {
        "chain": "sharp pictures, spoilt at random by blur, resizing, noise, compression, in several rounds.",
        "given": "pairs of a degraded and a sharp picture.",
        "frame-mean": "means of consecutive frames of a film, the sharp one in their middle.",
        "few-frames": "sharp pictures, each the mean of a few moments of a made motion.",
        "motion-blur": "sharp pictures, blurred along random camera paths.",
    }[options.kind]


def _scores(card: ModelCard) -> Iterator[str]:
    if not card.scores:
        yield "Not measured."
        return
    rows = [
        [s.dataset, f"`{s.protocol}`", f"{s.psnr:.2f} / {s.ssim:.4f}", _base(card, s)] for s in card.scores
    ]
    base = "bicubic" if card.scale > 1 else "input"
    yield _table(["pictures", "protocol", "PSNR in dB / SSIM", base], rows)
    yield (
        "Measured by `relume eval`; [the protocols](../reference.md#protocols-of-relume-eval), "
        "[all models beside each other](../quality.md)."
    )


def _base(card: ModelCard, score: Score) -> str:
    known = score.base or GOLDEN.get((score.dataset, card.scale, score.protocol))
    return f"{known[0]:.2f} / {known[1]:.4f}" if known else "–"


def _limits(card: ModelCard) -> Iterator[str]:
    recipe = _recipe(card)
    if card.adversarial:
        yield INVENTED
        yield ADVERSARIAL
    else:
        yield GUESSED
    if card.arch == "faces":
        yield FACES
    if recipe and isinstance(recipe.degradation, DownsampleOptions):
        yield CLEAN.format(kernel=recipe.degradation.kernel)
    if card.training_data:
        yield SHORT.format(sources=", ".join(source.name for source in card.training_data))
    if card.global_stats:
        yield GLOBAL
    if card.precision == "int8":
        yield EIGHT_BITS.format(plain=card.name.removesuffix("-int8"))
    if card.scale > 1:
        yield f"It enlarges ×{card.scale}; other sizes are resized from that."


def _sample_caption(card: ModelCard) -> str:
    if card.task == "deblur":
        return "Pictures blurred along a random path: the input, this model, the original."
    return "Pictures as they are: bicubic resizing and this model, where the two differ most."


def _worst_caption(card: ModelCard) -> str:
    spoilt = "blurred" if card.task == "deblur" else f"made {card.scale} times smaller"
    return (
        f"Pictures that were {spoilt} first, where the result is furthest from the original, doubled in size."
    )


def _figure(card: ModelCard, name: str, caption: str) -> str:
    return f"![{caption}]({card.name}-{name}.webp)\n\n*{caption}*"


def _quoted(text: str) -> str:
    return f"> {text}" if text else ""


def _megabytes(model: ModelFile) -> str:
    return f"{model.path.stat().st_size / 1e6:.1f}"


def _num_parameters(card: ModelCard) -> int:
    return fewest_parameters(build(card.arch, card.arch_options))


@cache
def _load(name: str, variant: str) -> Recipe | None:
    applied = [f"variant={each}" for each in variant.split()]
    return load_recipe(name, applied) if name in list_recipes() else None


def _recipe(card: ModelCard) -> Recipe | None:
    """The recipe of this name, if relume still has one."""
    return _load(card.recipe, card.variant)


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
