"""The model card: what a bundle is, what it was made from, how good it is and where it fails (Mitchell et al. 2019)."""

from collections.abc import Mapping, Sequence

from converter.evaluation.acceptance import Check
from converter.evaluation.parity import Report
from converter.tflite.saved_model_export import Description


def render(about: Description, report: Report, checks: Sequence[Check], sizes: Mapping[str, int]) -> str:
    """Return the card as Markdown; `sizes` are the bytes of each model by its role."""
    sections = [
        _head(about),
        _section("Data", _bullets(about.data)),
        _section("Terms", _terms(about)),
        _section("Figures", _figures(report)),
        _section("Agreement of int8 with float32", _agreement(report, checks)),
        _section("Dangers it can name", _hazards(about)),
        _section("Known failures", _bullets(about.known_failures)),
        _section("Size", _sizes(sizes)),
        _section("Made by", _commands(about)),
    ]
    return "\n\n".join(sections) + "\n"


def _head(about: Description) -> str:
    size = about.input
    boxes = f" and finds {', '.join(about.detection.classes)}" if about.detection else ""
    return (
        f"# {about.name} {about.version}\n\n"
        f"Writes one sentence ({about.language}) about a picture{boxes}. It looks at the whole frame, RGB, squashed to "
        f"{size.width} x {size.height}; it searches with a beam of {about.decoding.beam_width}, at most "
        f"{about.decoding.max_tokens} words, from a vocabulary stored beside it. Encoder and detector are int8 "
        "throughout, the decoder has int8 weights.\n\n"
        "A sentence is a guess. Nobody should be accused, and no alarm believed, on this model's word alone."
    )


def _section(title: str, body: str) -> str:
    return f"## {title}\n\n{body}"


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines) if lines else "None written down."


def _terms(about: Description) -> str:
    strictest = "Whoever uses the model is bound by the terms of everything it was made from; the strictest hold."
    return strictest + "\n\n" + _table(("made from", "terms"), [(one.what, one.terms) for one in about.licences])


def _figures(report: Report) -> str:
    """The same figures of both, side by side; counts of pictures as whole numbers."""
    if not report.float32:
        return "Not measured: no captions or boxes were given to the conversion."
    names = list(report.float32)
    rows = [(name, _number(name, report.float32[name]), _number(name, report.int8[name])) for name in names]
    intro = (
        "Measured on validation data through the inference that runs on the device. BLEU (Papineni et al. 2002) and "
        "ROUGE-L are fractions, CIDEr (CIDEr-D, Vedantam et al. 2015) runs from 0 to 10, average precision is COCO's. "
        "`bleu_seed` weighs 1- to 3-grams alike; `jaccard` and `cosine` compare words whatever their order; "
        "`invented` is the share of sentences that name a thing which nobody wrote of the picture, lower is better. "
        "Korean is counted in Kiwi's morphemes."
    )
    return intro + "\n\n" + _table(("figure", "float32", "int8, as shipped"), rows)


def _agreement(report: Report, checks: Sequence[Check]) -> str:
    rows = [(check.name, f"{check.found:.4f}", f"{sign(check)} {check.limit:g}") for check in checks]
    seen = f"On {report.agreement['pictures']:.0f} pictures. A bundle that misses a limit is not written."
    return seen + "\n\n" + _table(("figure", "measured", "limit"), rows)


def _hazards(about: Description) -> str:
    return _bullets([f"**{term}**: {', '.join(words)}" for term, words in about.hazards.items()])


def _sizes(sizes: Mapping[str, int]) -> str:
    rows = [(role, f"{size / 1e6:.2f}") for role, size in sizes.items()]
    return _table(("model", "MB"), [*rows, ("together", f"{sum(sizes.values()) / 1e6:.2f}")])


def _commands(about: Description) -> str:
    return "```\n" + "\n".join(about.commands) + "\n```"


def sign(check: Check) -> str:
    """Say which way the limit holds."""
    return "≥" if check.at_least else "≤"


def _number(name: str, value: float) -> str:
    return f"{value:.0f}" if name.endswith("images") else f"{value:.4f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
