"""What the text report says in the cases that the golden files do not hold apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from boundkit.report.model import Certificates, Provenance, Rho
from boundkit.report.sections.margin_table import margin_table
from boundkit.report.text import render
from boundkit.types import Assumption, Measurement, Notice
from tests.report.reports import (
    UNCHECKED,
    assumed,
    certificate,
    layer,
    proved,
    refuted,
    report,
    row,
    unavailable,
)


def said(made):
    return " ".join(render(made, 100).split())


def with_certificates(*certificates, **changes):
    return report(certificates=Certificates(certificates), **changes)


def test_the_headline_says_what_was_proved_and_from_what():
    assert (
        "Proved from the weights and the training margins alone, with probability 95 %: "
        "this net errs on at most 26.4 % of new inputs." in said(proved())
    )


def test_without_data_a_proof_rests_on_the_weights():
    assert "Proved from the weights alone" in said(with_certificates(certificate()))


def test_the_best_valid_bound_is_starred_and_the_reference_is_not():
    starred = [line for line in render(proved()).splitlines() if line[:4] == "  * "]

    assert [line.split()[1] for line in starred] == ["sparse_cnn"]


def test_assumptions_that_were_not_checked_are_named():
    text = said(assumed())

    assert "Not proved: sparse_cnn says" in text
    for each in UNCHECKED:
        assert f"- {each.name} ({each.detail})" in text
    assert "n = 11,800 samples with margin 1, and inputs have norm at most 1" in text


def test_a_valid_but_vacuous_bound_proves_nothing():
    text = said(
        with_certificates(certificate(value=3.87, terms={"n_needed": 176_543.2}))
    )

    assert "Nothing is proved about this net's errors: the smallest bound" in text
    assert "It would fall below 1 from n = 176,544 samples on." in text


def test_an_assumed_and_vacuous_bound_says_both():
    made = certificate(
        status="assumed", value=None, log10=812.3, assumptions=UNCHECKED, terms={}
    )

    text = said(with_certificates(made))

    assert "sparse_cnn, is 10^812.3, and an error rate never exceeds 1" in text
    assert "It also rests on what was not checked: - chain of ReLU layers" in text


def test_a_proof_goes_before_a_smaller_assumed_bound():
    guess = certificate("dense", "assumed", 0.1, assumptions=UNCHECKED)

    assert "at most 26.4 % of new" in said(with_certificates(guess, certificate()))


def test_an_assumed_bound_goes_before_a_vacuous_proof():
    guess = certificate("dense", "assumed", 0.1, assumptions=UNCHECKED)
    text = said(with_certificates(guess, certificate(value=3.0)))

    assert "Not proved: dense says that this net errs on at most 10.0 %" in text


def test_a_missing_input_is_named_with_its_option():
    text = said(unavailable())

    assert "Nothing is stated yet: the training-set size is missing; give --n" in text
    assert "sparse_cnn could say something from n = 3,900 samples on." in text


def test_a_violated_assumption_is_named_with_what_would_mend_it():
    text = said(refuted())

    assert "no theorem applies to it" in text
    assert "'no normalization layers' does not hold (bn1 and 2 more); --model" in text


def test_a_held_out_bound_alone_is_no_headline():
    made = certificate("holdout", value=0.02, terms={"errors": 31, "n": 2000})

    text = said(with_certificates(made))

    assert "on 2,000 held-out samples (error 0.0155)" in text
    assert "Proved" not in text


@pytest.mark.parametrize("terms", [{}, {"n": 0, "errors": 0}, {"n": None}])
def test_a_held_out_row_survives_terms_that_are_not_there(terms):
    assert "holdout" in said(with_certificates(certificate("holdout", terms=terms)))


def test_bounds_hold_together_with_less_probability():
    assert "all of them together with 80 %." in said(proved())
    many = (certificate(f"b{i}", delta=0.2) for i in range(6))

    assert "Each line holds with that probability by itself." in said(
        with_certificates(*many)
    )


def test_a_caution_beside_a_value_is_printed():
    assert "as in the literature" in said(
        with_certificates(certificate(note="as in the literature"))
    )


def test_a_reason_is_given_even_where_none_is_recorded():
    assert "no reason is recorded" in said(
        with_certificates(certificate(status="unavailable", value=None))
    )


def test_only_norms_prints_no_bounds():
    text = said(report())

    assert "Test error" not in text
    assert "Premises" not in text


def test_data_are_known_from_the_conventions_where_margins_were_not_asked_for():
    made = with_certificates(certificate())
    made = replace(made, conventions={**made.conventions, "data": "train.npz"})

    assert "with probability 95 % (n = 11,800)" in said(made)


def test_coverage_is_never_rounded_up_to_all():
    assert "99.9 % counted" in said(report(coverage=0.999999))
    assert "all counted" in said(report(coverage=1.0))


def test_an_empty_checkpoint_has_nothing_to_count():
    empty = Provenance("x.pt", "torch zip", (), None, 0, 0, 0)

    text = said(report(checkpoint=empty, layers=(), ledger=(), coverage=0.0))

    assert "0 parameters, nothing to count" in text
    assert "No layer was found" in text


def test_rho_is_a_power_where_it_overflows_and_zero_where_a_layer_is():
    assert "rho = 10^812.3 (log10 812.300;" in said(report(rho_stored=Rho(812.3, None)))
    assert "rho = 10^812.3" in said(report(rho_stored=Rho(812.3, float("inf"))))
    assert "rho = 0 (2 factors" in said(report(rho_stored=Rho(None, 0.0)))
    assert "rho is undefined" in said(report(rho_stored=Rho(None, None)))


def test_shares_are_signed_and_sum_to_all():
    layers = (
        layer("up", "linear", (2, 2), 100.0, 2.0),
        layer("down", "linear", (2, 2), 0.1, -1.0),
        layer("same", "linear", (2, 2), 1.0, 0.0),
    )

    text = render(report(layers=layers))

    assert "##########   67 %" in text
    assert "-----       -33 %" in text
    assert "makes rho" in text


def test_a_product_of_ones_has_no_shares():
    layers = (layer("one", "linear", (2, 2), 1.0, 0.0),)

    assert "0 %" in render(report(layers=layers))


def test_folded_rho_stands_beside_stored():
    assert "batch normalization folded in" in said(report(rho_folded=Rho(1.0, 10.0)))


def test_thirty_layers_are_all_shown_and_more_are_not():
    def table(number):
        one = layer("w", "linear", (2, 2), 2.0, 0.30103)
        return render(report(layers=(one,) * number))

    assert table(30).count("linear 2x2") == 30
    assert table(100_000).count("linear 2x2") == 26
    assert "… 99,974 layers more" in table(100_000)


def test_omissions_are_grouped_by_reason_largest_first():
    ledger = (
        row("a.bias", (3,)),
        row("emb", (10, 10), reason="embedding"),
        row("b.bias", (4,)),
        row("steps", (), reason="buffer", parameter=False),
    )

    text = said(report(ledger=ledger))

    assert "1 tensor, 100 parameters: embedding (emb) 2 tensors, 7 parameters" in text
    assert "1 tensor: buffer (steps)" in text


def test_heuristics_are_marked_and_measurements_stand_apart():
    text = said(
        report(
            measurements=(
                Measurement(
                    "conjecture1", None, "1", "P1 (24)", None, None, "heuristic", 9.5
                ),
                Measurement("noise_scale", 0.25, "nats", "P1", "fc", 0.01),
            )
        )
    )

    assert (
        "Heuristics (as printed in the literature; not proved, no certificate)" in text
    )
    assert "conjecture1 10^9.5 P1 (24)" in text
    assert "Measurements noise_scale (fc) 0.250 ± 0.010 nats P1" in text


def test_long_lists_of_measurements_are_cut_and_say_so():
    many = tuple(
        Measurement(f"m{i}", 1.0, "1", "s", kind="heuristic") for i in range(40)
    )

    assert "… 16 more in --format json" in said(report(measurements=many))


def test_measurements_of_many_layers_are_named_once():
    many = tuple(Measurement("rank_99", 3.0, "1", "s", f"layer{i}") for i in range(4))

    text = said(report(measurements=many))

    assert "Measurements of 4 layers: rank_99, in --format json" in text


def test_a_large_family_of_layers_is_counted():
    many = tuple(
        Measurement(f"ww.m{i}", 3.0, "1", "s", f"layer{j}")
        for i in range(7)
        for j in range(2)
    )
    few = tuple(Measurement(f"law.m{i}", 3.0, "1", "s", "layer0") for i in range(2))

    text = said(report(measurements=many + few))

    assert "of 2 layers: ww.* (7), law.m0, law.m1, in --format json" in text


def test_margins_of_each_sample_are_a_row_and_over_rho_another():
    one = {"min": -0.5, "median": 1.25, "mean": 1.0, "train_error": 0.0125}
    over = {"min": -0.1, "median": 0.25, "rho_eq": 4.5, "epsilon": None}
    text = said(
        report(margins=one | {"normalized": over, "test": one | {"train_error": 0.2}})
    )

    assert "Margins min 1 % 5 % 10 % median mean error" in text
    assert "training -0.500 - - - 1.25 1.00 1.25 %" in text
    assert "over rho -0.100 - - - 0.250 -" in text
    assert "held-out -0.500 - - - 1.25 1.00 20.00 %" in text
    assert "equilibrium rho 4.50" in text


def test_a_narrow_report_keeps_the_margins_that_say_most():
    one = {"min": -0.5, "median": 1.25, "mean": 1.0, "train_error": 0.0}
    lines = "".join(
        text
        for line in margin_table(report(margins=one), 60)
        for text, _ in (*line, ("\n", ""))
    )

    assert lines.splitlines()[0].split() == [
        "Margins",
        "min",
        "1",
        "%",
        "median",
        "error",
    ]


def test_a_flood_of_one_warning_does_not_hide_the_others():
    flood = tuple(Notice("alias", f"t{i} again") for i in range(1000))
    text = said(report(warnings=(*flood, Notice("odd", "a thing", "fc.weight"))))

    assert "… 994 more of alias in --format json" in text
    assert "odd: a thing (fc.weight)" in text


def test_a_missing_reference_does_not_speak_for_the_bounds():
    violated = (Assumption("no normalization layer", holds=False, detail="bn1"),)
    text = said(
        with_certificates(
            certificate(status="invalid", value=None, assumptions=violated),
            certificate("holdout", "unavailable", None, note="give --test-data"),
        )
    )

    assert "no theorem applies to it, sparse_cnn for one because 'no normal" in text


def test_large_families_of_measurements_are_left_to_json():
    many = tuple(Measurement(f"jiang2020.m{i}", 1.0, "1", "Jiang") for i in range(5))
    few = tuple(Measurement(f"odd.m{i}", 1.0, "1", "Odd") for i in range(3))
    text = said(report(measurements=(*many, *few)))

    assert "jiang2020.*: 5 measures, in --format json" in text
    assert "jiang2020.m0" not in text
    assert "odd.m0" in text


def test_folded_tensors_are_not_called_uncounted():
    ledger = (
        row(
            "bn.weight", (3,), "folded", "scale of a BatchNorm; folded into conv.weight"
        ),
    )
    text = said(report(ledger=ledger))

    assert "Folded 1 tensor" in text
    assert "Not counted" not in text
