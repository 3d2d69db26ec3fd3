"""The equation of a layer with the numbers in it: one feature of one edge, line by line, as LaTeX."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cgcnn.explain.steps import LayerSteps
from cgcnn.nn.attention_conv import AttentionConv, LearnedScore, PublishedScore
from cgcnn.nn.gated_conv import GatedConv
from cgcnn.nn.norms import NoNorm
from cgcnn.nn.weight_shared_conv import SelfConv, WeightSharedConv

SHOWN_TERMS = 4  # of a sum; the others become dots


@dataclass(frozen=True)
class Line:
    """One line: what happens in words, and the equation with its numbers as LaTeX."""

    words: str
    latex: str


def number(x: float) -> str:
    """A number as the page writes it: four decimals, or powers of ten where these say nothing."""
    if x == 0 or 5e-4 <= abs(x) < 1e4:
        return f"{x:.4f}"
    digits, power = f"{x:.2e}".split("e")
    return rf"{digits} \cdot 10^{{{int(power)}}}"


def lines(steps: LayerSteps, edge: int, feature: int) -> tuple[list[Line], list[Line]]:
    """What the layer computed for `feature`: of the atom's edge number `edge`, and of the atom; both from 0."""
    return LINES[type(steps.layer)](steps, edge, feature)


def _gated(steps: LayerSteps, edge: int, f: int) -> tuple[list[Line], list[Line]]:
    layer, d = steps.layer, len(steps.v_i)
    norm = layer.norm_message
    g = _name(layer.activation)
    of_edge = []
    for letter, row, words in (("f", f, "Mix for the gate"), ("s", d + f, "Mix for the core")):
        mixed = steps[f"W_{letter} z + b_{letter}"][edge, f]
        parts = _parts(layer.linear, row, [steps.v_i, steps.v_j[edge], steps.u[edge]], ["v_i", "v_j", "u_{ij}"])
        of_edge.append(Line(words, rf"(W_{letter} z + b_{letter})_{{{f + 1}}} = {parts} = {_n(mixed)}"))
        if not isinstance(norm, NoNorm):
            row_of_all = torch.cat([steps["W_f z + b_f"][edge], steps["W_s z + b_s"][edge]])
            normed = steps[f"z_{letter}"][edge, f]
            formula = _normed(steps, "norm_message", row_of_all, row)
            of_edge.append(Line(_norm_words(norm), f"z_{letter} = {formula} = {_n(normed)}"))
    gate, core, z_f, z_s = (steps[name][edge, f] for name in ("σ(z_f)", "g(z_s)", "z_f", "z_s"))
    of_edge += [
        Line("Gate", rf"\sigma(z_f) = \frac{{1}}{{1 + e^{{-({_n(z_f)})}}}} = {_n(gate)}"),
        Line("Core", rf"g(z_s) = {g}({_n(z_s)}) = {_n(core)}"),
        Line("Message", rf"\sigma(z_f) \, g(z_s) = {_n(gate)} \times {_n(core)} = {_n(gate * core)}"),
    ]
    terms = steps["σ(z_f) ⊙ g(z_s)"][:, f]
    of_atom = [Line(f"Sum over {len(terms)} edges", _sum(terms, steps["Σ"][f]))]
    of_atom += _norm_line(steps, steps["Σ"], f, steps["N(Σ)"][f])
    return of_edge, [*of_atom, *_residual(steps, f, g)]


def _weight_shared(steps: LayerSteps, edge: int, f: int) -> tuple[list[Line], list[Line]]:
    layer, g = steps.layer, _name(steps.layer.activation)
    messages = steps["W_n (v_j ⊕ u) + b_n"][:, f]
    parts = _parts(layer.neighbor_linear, f, [steps.v_j[edge], steps.u[edge]], ["v_j", "u_{ij}"])
    of_edge = [Line("Message", rf"(W_n (v_j \oplus u_{{ij}}) + b_n)_{{{f + 1}}} = {parts} = {_n(messages[edge])}")]
    both = steps["Σ + W_s v_i + b_s"]
    own = steps["W_s v_i + b_s"][f]
    added = rf"\Sigma + W_s v_i + b_s = {_n(steps['Σ'][f])} + ({_n(own)}) = {_n(both[f])}"
    of_atom = [Line(f"Sum over {len(messages)} edges", _sum(messages, steps["Σ"][f])), Line("The atom itself", added)]
    return of_edge, [*of_atom, *_end(steps, both, f, g)]


def _alone(steps: LayerSteps, edge: int, f: int) -> tuple[list[Line], list[Line]]:
    own = steps["W_s v_i + b_s"]
    parts = _parts(steps.layer.self_linear, f, [steps.v_i], ["v_i"])
    first = Line("The atom itself", rf"(W_s v_i + b_s)_{{{f + 1}}} = {parts} = {_n(own[f])}")
    return [], [first, *_end(steps, own, f, _name(steps.layer.activation))]


def _attention(steps: LayerSteps, edge: int, f: int) -> tuple[list[Line], list[Line]]:
    layer, g = steps.layer, _name(steps.layer.activation)
    head = f // (len(steps.v_i) // layer.heads)
    core, weight = steps["g(z_s)"][edge, f], steps["cᵢⱼ"][edge, f]
    parts = _parts(layer.linear, f, [steps.v_i, steps.v_j[edge], steps.u[edge]], ["v_i", "v_j", "u_{ij}"])
    mixed = steps["W_s z + b_s"][edge]
    of_edge = [Line("Mix", rf"(W_s z + b_s)_{{{f + 1}}} = {parts} = {_n(mixed[f])}")]
    if not isinstance(layer.norm_message, NoNorm):
        formula = _normed(steps, "norm_message", mixed, f)
        of_edge.append(Line(_norm_words(layer.norm_message), rf"z_s = {formula} = {_n(steps['z_s'][edge, f])}"))
    of_edge += [
        Line("Core", rf"g(z_s) = {g}({_n(steps['z_s'][edge, f])}) = {_n(core)}"),
        Line(_of_head("Score", layer, head), SCORES[type(layer.score)](steps, edge, head)),
        Line(_of_head("Weight", layer, head), _softmax(steps["sᵢⱼ"][:, f], edge, weight)),
        Line("Message", rf"c_{{ij}} \, g(z_s) = {_n(weight)} \times {_n(core)} = {_n(weight * core)}"),
    ]
    terms = steps["cᵢⱼ ⊙ g(z_s)"][:, f]
    of_atom = [Line(f"Sum over {len(terms)} edges", _sum(terms, steps["Σ"][f]))]
    total = steps["Σ"]
    if layer.heads > 1:
        total = steps["W_o Σ + b_o"]
        shares = _parts(layer.join, f, [steps["Σ"]], [r"\Sigma"])
        of_atom.append(Line("Heads joined", rf"(W_o \Sigma + b_o)_{{{f + 1}}} = {shares} = {_n(total[f])}"))
    of_atom += _norm_line(steps, total, f, steps["N(Σ)"][f])
    return of_edge, [*of_atom, *_residual(steps, f, g)]


def _published_score(steps: LayerSteps, edge: int, head: int) -> str:
    own = _slice(steps, head)
    alike = float(steps.v_i[own] @ steps.v_j[edge, own])
    far = float(steps.u[edge] @ steps.u[edge])
    numbers = rf"{number(alike)} \times {number(far)} = {_n(steps['sᵢⱼ'][edge, own.start])}"
    return rf"s_{{ij}} = \langle v_i, v_j \rangle \langle u_{{ij}}, u_{{ij}} \rangle = {numbers}"


@torch.no_grad()
def _learned_score(steps: LayerSteps, edge: int, head: int) -> str:
    own, score = _slice(steps, head), steps.layer.score
    key = score.key(torch.cat([steps.v_j[edge], steps.u[edge]]))
    product = _n(score.query(steps.v_i)[own] @ key[own])
    found = _n(steps["sᵢⱼ"][edge, own.start])
    d = own.stop - own.start
    symbols = r"\frac{\langle q_i, k_{ij} \rangle}{\sqrt{d}}"
    return rf"s_{{ij}} = {symbols} = \frac{{{product}}}{{\sqrt{{{d}}}}} = {found}"


SCORES: dict[type[nn.Module], Callable[[LayerSteps, int, int], str]] = {
    PublishedScore: _published_score,
    LearnedScore: _learned_score,
}


def _slice(steps: LayerSteps, head: int) -> slice:
    """The features of one head, from 0."""
    width = len(steps.v_i) // steps.layer.heads
    return slice(head * width, (head + 1) * width)


def _of_head(words: str, layer: nn.Module, head: int) -> str:
    return words if layer.heads == 1 else f"{words} of head {head + 1}"


def _softmax(scores: Tensor, edge: int, weight: Tensor) -> str:
    """c = e^(s − largest) over the sum of it: the largest taken off, as the layer does, since e^89 overflows."""
    raised = torch.exp(scores - scores.max())
    formula = r"\frac{e^{s_{ij} - \max_k s_{ik}}}{\sum_k e^{s_{ik} - \max_k s_{ik}}}"
    return rf"c_{{ij}} = {formula} = \frac{{{_n(raised[edge])}}}{{{_n(raised.sum())}}} = {_n(weight)}"


LINES: dict[type[nn.Module], Callable[[LayerSteps, int, int], tuple[list[Line], list[Line]]]] = {
    GatedConv: _gated,
    AttentionConv: _attention,
    WeightSharedConv: _weight_shared,
    SelfConv: _alone,
}


def _residual(steps: LayerSteps, f: int, g: str) -> list[Line]:
    before, after = steps["v_i + N(Σ)"][f], steps["v_i′"][f]
    added = rf"v_i + N(\Sigma) = {_n(steps.v_i[f])} + ({_n(steps['N(Σ)'][f])}) = {_n(before)}"
    return [Line("Residual", added), Line("Activation", rf"v_i' = {g}({_n(before)}) = {_n(after)}")]


def _end(steps: LayerSteps, before: Tensor, f: int, g: str) -> list[Line]:
    normed, after = steps["N(…)"][f], steps["v_i′"][f]
    last = Line("Activation", rf"v_i' = {g}({_n(normed)}) = {_n(after)}")
    return [*_norm_line(steps, before, f, normed), last]


def _n(x: Tensor) -> str:
    return number(float(x))


def _name(activation: nn.Module) -> str:
    return rf"\mathrm{{{type(activation).__name__.lower()}}}"


@torch.no_grad()
def _parts(linear: nn.Linear, row: int, inputs: Sequence[Tensor], names: Sequence[str]) -> str:
    """A row of W times a concatenation, as the share of each part, and the bias."""
    shares = linear.weight[row].split([len(x) for x in inputs])
    terms = [rf"\underbrace{{{_n(w @ x)}}}_{{{name}}}" for w, x, name in zip(shares, inputs, names, strict=True)]
    return " + ".join([*terms, rf"\underbrace{{{_n(linear.bias[row])}}}_{{b}}"])


def _sum(terms: Tensor, total: Tensor) -> str:
    shown = [_n(term) for term in terms[:SHOWN_TERMS]]
    dots = [r"\dots"] if len(terms) > SHOWN_TERMS else []
    return rf"\Sigma = {' + '.join([*shown, *dots]) or '0'} = {_n(total)}".replace("+ -", "- ")


def _norm_words(norm: nn.Module) -> str:
    return "Batch norm" if isinstance(norm, nn.BatchNorm1d) else "Layer norm"


def _norm_line(steps: LayerSteps, before: Tensor, f: int, after: Tensor) -> list[Line]:
    norm = steps.layer.norm_sum
    if isinstance(norm, NoNorm):
        return []
    return [Line(_norm_words(norm), rf"N = {_normed(steps, 'norm_sum', before, f)} = {_n(after)}")]


@torch.no_grad()
def _normed(steps: LayerSteps, name: str, before: Tensor, f: int) -> str:
    """(x − μ) / √(s² + ε) · γ + β; μ and s² of batch norm are each feature's own, those of layer norm the row's."""
    norm = getattr(steps.layer, name)
    if name in steps.statistics:
        mean, var = (values[f] for values in steps.statistics[name])
    else:
        mean, var = before.mean(), before.var(unbiased=False)
    top = f"{_n(before[f])} - ({_n(mean)})"
    below = rf"{_significant(float(var))} + 10^{{{round(math.log10(norm.eps))}}}"
    return rf"\frac{{{top}}}{{\sqrt{{{below}}}}} \times {_n(norm.weight[f])} + ({_n(norm.bias[f])})"


def _significant(x: float) -> str:
    """Four digits that count: a small variance divides."""
    return number(x) if x >= 1 or x < 5e-4 else f"{x:.4g}"
