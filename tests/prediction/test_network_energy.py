"""Energy of a network as a sum over kernels: interval, coverage, extrapolation, and where the predictor comes from."""

import re
import zipfile
from xml.etree import ElementTree

import numpy as np
import pytest

from harness.errors import UsageError
from harness.prediction import fitted_predictor as fitted_module
from harness.prediction.coverage import CoverageError
from harness.prediction.energy_chart import MOST_BARS, energy_svg
from harness.prediction.extrapolation import extrapolations, ranges_of
from harness.prediction.fitted_predictor import (
    MODEL_FILE,
    RANGES_FILE,
    SUMS_FILE,
    FittedPredictor,
    fitted_for,
    load_fitted,
    make_stamp,
    saved_folder,
    write_sums,
)
from harness.prediction.network_energy import (
    MOST_EXTRAPOLATED,
    MOST_WIDENED,
    ExtrapolationError,
    kernel_columns,
    main_dtype,
    predict_network,
)
from harness.prediction.training_set import training_set
from harness.predictor.features import FEATURES
from harness.predictor.loading import load_model
from harness.predictor.persistence import STAMP_FILE, Stamp, read_stamp, saved_bytes
from harness.predictor.protocol import PredictorError
from harness.sandbox.jobs import Outcome
from harness.schema.networks import ListedKernel, NetworkKernel, in_dtype
from tests.evaluation.releases import MEASURED, configurations, entry, kernel_device, release_of, true_energy, untyped
from tests.predictor.packages import info_source, model_source

SPREAD = 1.25
INTERVALS = f"""
def predict_interval(self, kernels, coverage):
    energies = self.predict(kernels)
    return np.column_stack([energies / {SPREAD}, energies * {SPREAD}])
"""


def training(*campaigns, **asked):
    table = release_of(*(campaigns or [kernel_device()])).levels["kernels"]
    return training_set(table, **({"device_id": "acme-phone", "dtype": "fp32"} | asked))


def network(*entries):
    return [NetworkKernel.model_validate(each) for each in entries]


def known(*numbers):
    """Kernels that were measured."""
    return network(*(entry(configurations(60)[number]) for number in numbers))


def truthful(chosen=None, spread=SPREAD):
    """Fitted predictor that knows the true energies."""
    chosen = chosen or training()
    stamp = Stamp(
        predictor="truth", predictor_version="1", subjects=(chosen.subject,), dataset="deepen/kernels",
        dataset_version=None, data_sha256=chosen.data_sha256, split="all", split_version="1", n_rows=60,
        kernels=("conv-bn-relu", "fc", "relu"), seed=0, harness_version="1", packages={},
    )  # fmt: skip

    def ask(kernels, coverage):
        assert tuple(kernels.columns) == FEATURES
        energies = np.asarray(true_energy(kernels["flops"], kernels["bytes_moved"]))
        return energies, None if spread is None else np.column_stack([energies / spread, energies * spread])

    return FittedPredictor(stamp, ranges_of(chosen.rows), None, ask)


def test_energy_is_the_sum_over_kernels_and_each_keeps_its_own():
    kernels = known(0, 1, 2)
    found = predict_network(kernels, truthful())
    alone = [float(true_energy(kernel.flops, kernel.bytes_moved)) for kernel in kernels]
    assert [each.energy_mj for each in found.kernels] == pytest.approx(alone)
    assert found.energy_mj == pytest.approx(sum(alone))
    assert found.share([0, 2]) == pytest.approx((alone[0] + alone[2]) / sum(alone))
    assert (found.is_complete, found.coverage_kernels, found.coverage_flops) == (True, 1, 1)
    low, high = found.interval_mj
    assert sum(alone) / SPREAD < low < sum(alone) < high < sum(alone) * SPREAD


@pytest.mark.parametrize(
    ("flops", "bytes_moved", "reason"),
    [
        (8, 8, "has no kernel type"),
        (None, 8, "has no kernel type, and its FLOPs are unknown"),
        (8, None, "has no kernel type, and its bytes are unknown"),
        (None, None, "has no kernel type, and its FLOPs and bytes are unknown"),
    ],
)
def test_the_reason_names_the_costs_that_are_unknown(flops, bytes_moved, reason):
    custom = untyped(8) | {"flops": flops, "bytes_moved": bytes_moved}
    found = predict_network([*known(0), *network(custom)], truthful(), at_least=0)
    assert [each.reason for each in found.kernels] == ["", reason]


def test_kernels_of_one_configuration_err_together():
    found = predict_network(known(0, 0), truthful())
    assert found.interval_mj == pytest.approx((found.energy_mj / SPREAD, found.energy_mj * SPREAD))


def test_without_intervals_of_the_predictor_there_is_none():
    found = predict_network(known(0, 1), truthful(spread=None))
    assert found.interval_mj is None
    assert all(each.interval_mj is None for each in found.kernels)


def test_too_little_coverage_is_refused_and_what_is_missing_is_named():
    flops = known(0)[0].flops
    kernels = [*known(0), *network(untyped(flops), entry(configurations(2)[1], dtype="int8"))]
    with pytest.raises(CoverageError) as refused:
        predict_network(kernels, truthful())
    said = str(refused.value)
    assert re.search(r"truth supports 4\d\.\d % of the FLOPs .* acme-phone; expected at least 90\.0 %", said)
    assert re.search(r"and 5\d\.\d % of the bytes of this", said)
    assert re.search(r"1 softmax, 4\d\.\d % of FLOPs, 0\.0 % of bytes: has no kernel type", said)
    assert re.search(r"1 relu, \d\.\d % of FLOPs, 4\d\.\d % of bytes: runs", said)
    assert "1 relu, " in said
    assert "runs in int8, not in fp32" in said
    share = float(re.search(r"--at-least (\S+)", said)[1])
    found = predict_network(kernels, truthful(), at_least=share)
    assert not found.is_complete
    assert found.energy_mj == pytest.approx(predict_network(known(0), truthful()).energy_mj)
    assert [(item.operator, item.n) for item in found.unsupported] == [("softmax", 1), ("relu", 1)]
    assert [each.energy_mj is None for each in found.kernels] == [False, True, True]


def test_a_type_that_was_never_measured_is_missing_and_named():
    pool = {"kernel": "global-avgpool", "input_h": 7, "input_w": 7, "cin": 64}
    found = predict_network([*known(0), *network(entry(pool))], truthful(), at_least=0.25)
    assert [item.reason for item in found.unsupported] == ["truth was fitted on no global-avgpool of acme-phone, CPU1"]
    assert found.is_complete is False


def test_nothing_at_all_is_refused_whatever_is_allowed():
    with pytest.raises(CoverageError, match="truth supports no kernel of this network on acme-phone"):
        predict_network(network(untyped(100)), truthful(), at_least=0)


def test_rows_of_the_fit_are_no_extrapolation():
    rows = training().rows
    assert extrapolations(rows, ranges_of(rows)) == []


@pytest.mark.parametrize(
    ("change", "field", "said", "learnt"),
    [
        ({"kernel_h": 11, "kernel_w": 11}, "kernel size", "11x11", "1x1, 3x3, 5x5, 7x7"),
        ({"stride_h": 2, "stride_w": 2}, "stride", "2x2", "1x1"),
        ({"groups": 2}, "groups", "2", "1"),
        ({"input_h": 224}, "input_h", "224", "7 to 28"),
        ({"cin": 4}, "cin", "4", "8 to 179"),
    ],
)
def test_kernels_unlike_all_rows_of_the_fit_are_warned_of(change, field, said, learnt):
    odd = entry(configurations(60)[0] | change)
    found = predict_network([*known(1), *network(odd)], truthful(), may_extrapolate=True)
    (warning,) = [each for each in found.extrapolations if each.field == field]
    assert (warning.kernel, warning.found, warning.learnt, warning.places) == ("conv-bn-relu", said, learnt, (1,))


def test_flops_out_of_range_are_warned_of_once_a_type():
    large = [entry(configurations(60)[0], flops=10**12 + number) for number in range(2)]
    found = predict_network([*network(untyped(1)), *network(*large)], truthful(), may_extrapolate=True)
    (warning,) = found.extrapolations
    assert (warning.field, warning.found) == ("flops", f"{10**12}, {10**12 + 1}")
    assert warning.places == (1, 2)


def test_another_data_type_moves_other_bytes_at_the_same_flops():
    kernels = known(0, 1)
    halved = [in_dtype(kernel, "fp16") for kernel in kernels]
    assert [kernel.bytes_moved for kernel in halved] == [kernel.bytes_moved // 2 for kernel in kernels]
    assert [kernel.flops for kernel in halved] == [kernel.flops for kernel in kernels]
    assert main_dtype([*halved, *known(1)]) == "fp16"


def test_a_network_looks_to_predictors_as_rows_of_a_release_do():
    rows = training().rows
    kernels = known(*range(6))
    frame = kernel_columns(kernels, training().subject, "cpu").as_frame()
    assert frame.dtypes.to_dict() == rows[list(FEATURES)].dtypes.to_dict()
    of_release = {tuple(row) for row in rows[list(FEATURES)].astype(object).fillna(-1).itertuples(index=False)}
    assert {tuple(row) for row in frame.astype(object).fillna(-1).itertuples(index=False)} <= of_release


def test_the_way_of_running_has_to_be_named_where_there_are_several():
    several = (kernel_device(), kernel_device(delegate="GPU", facts={"name": "gpu"}))
    with pytest.raises(UsageError, match="measured with CPU1, GPU; choose one with --delegate"):
        training(*several)
    assert training(*several, delegate="GPU").subject.delegate == "GPU"
    with pytest.raises(UsageError, match="'GPV' is not a known delegate of acme-phone; did you mean GPU"):
        training(*several, delegate="GPV")
    with pytest.raises(UsageError, match="'acme-fone' is not a known device with kernel rows; did you mean acme-phone"):
        training(device_id="acme-fone")
    with pytest.raises(UsageError, match="runs in int8, and acme-phone was measured in fp32; --dtype fp32"):
        training(dtype="int8")


def test_kernels_of_two_systems_of_a_board_are_never_fitted_together():
    stacks = [{"manifest": MEASURED | {"system": {"stack": stack}}, "name": stack} for stack in ("ruy", "xnnpack")]
    both = [kernel_device("board", n=50 + number, facts=facts) for number, facts in enumerate(stacks)]
    with pytest.raises(UsageError, match="measured as board--ruy, board--xnnpack; choose one with --system"):
        training(*both, device_id="board")
    chosen = training(*both, device_id="board", system_id="board--xnnpack")
    assert (chosen.subject.system_id, len(chosen.rows)) == ("board--xnnpack", 51)
    with pytest.raises(UsageError, match="'armnn' is not a known system of board"):
        training(*both, device_id="board", system_id="armnn")


def test_absolute_and_idle_subtracted_rows_are_never_mixed():
    idle = {"idle": {"power_mw": 300, "how": "Screen off."}}
    subtracted = kernel_device(n=30, energy_kind="idle-subtracted", facts={"name": "idle", "manifest": MEASURED | idle})
    found = training(kernel_device(), subtracted)
    assert (found.subject.energy_kind, len(found.rows)) == ("absolute", 60)


def test_dynamic_only_rows_are_mixed_with_none_of_their_tier():
    simulated = [
        kernel_device(n=n, energy_kind=kind, facts={"name": kind, "manifest": {"method": "simulated"}})
        for n, kind in ((30, "absolute"), (40, "dynamic-only"))
    ]
    found = training(*simulated)
    assert (found.subject.energy_kind, len(found.rows)) == ("dynamic-only", 40)


@pytest.fixture
def saved(package, tmp_path):
    """Package with one predictor, a training set, and the folder of saved ones with that predictor in it."""
    package.add("mine", model=model_source(rest=INTERVALS))
    chosen = training()
    home = saved_folder(tmp_path / "saved", "mine", chosen.subject)
    stamp = make_stamp(chosen, "mine", "1.2.0", package.name)
    home.mkdir(parents=True)
    model = load_model("mine", package.name)().fit(chosen.rows)
    (home / MODEL_FILE).write_bytes(saved_bytes(model, stamp, package.name))
    (home / STAMP_FILE).write_text(stamp.model_dump_json())
    (home / RANGES_FILE).write_text(ranges_of(chosen.rows).model_dump_json())
    write_sums(home)
    return package, chosen, tmp_path / "saved"


def test_a_saved_predictor_is_used_where_it_was_fitted_on_these_rows(saved):
    package, chosen, folder = saved
    found = fitted_for(chosen, "mine", folder, package.name)
    assert found.file == saved_folder(folder, "mine", chosen.subject) / MODEL_FILE
    assert found.stamp.dataset_version == "1.2.0"
    energy = predict_network(known(0, 1), found)
    assert energy.energy_mj == pytest.approx(2 * np.exp(np.log(chosen.rows["energy_mj"]).mean()))
    assert energy.interval_mj is not None


def test_a_saved_predictor_of_other_rows_is_passed_over(saved, monkeypatch):
    package, _, folder = saved
    asked = []

    def run_jobs(key, jobs, **settings):
        for job in jobs:
            asked.append(job)
            yield Outcome("ok", "", np.ones(len(job.test)), {0.9: np.ones((len(job.test), 2))})

    monkeypatch.setattr(fitted_module, "run_jobs", run_jobs)
    other = training(kernel_device(factor=2))
    found = fitted_for(other, "mine", folder, package.name)
    assert found.file is None
    assert predict_network(known(0, 1), found).energy_mj == 2
    (job,) = asked
    assert job.train.equals(other.rows)
    assert len(job.test) == 2


def test_a_predictor_that_fails_says_why(saved):
    package, chosen, folder = saved
    package.add("nan", model=model_source(predict="return np.full(len(kernels), np.nan)"))
    with pytest.raises(PredictorError, match="nan gave NaN for 1 of 1 rows"):
        predict_network(known(0), fitted_for(chosen, "nan", folder, package.name))


def test_a_predictor_is_not_fitted_where_there_is_no_row_of_its_types(package):
    package.add("narrow", info=info_source("narrow").replace('"all"', '["se"]'))
    with pytest.raises(UsageError, match=r"acme-phone has no row of a kernel type that narrow supports \(se\)"):
        make_stamp(training(), "narrow", None, package.name)


def test_a_file_without_its_ranges_is_refused(saved):
    package, chosen, folder = saved
    home = saved_folder(folder, "mine", chosen.subject)
    assert load_fitted(home / MODEL_FILE, package.name).ranges == ranges_of(chosen.rows)
    (home / RANGES_FILE).unlink()
    with pytest.raises(PredictorError, match=r"ranges\.json is not there, or damaged"):
        load_fitted(home / MODEL_FILE, package.name)


ANEW = r"fit anew: deepen predict MODEL --device acme-phone --delegate CPU1 --dtype fp32 --predictor mine, without"


def test_a_file_that_is_not_as_recorded_is_damaged_and_fitted_anew_where_it_is_not_named(saved):
    package, chosen, folder = saved
    path = saved_folder(folder, "mine", chosen.subject) / MODEL_FILE
    content = path.read_bytes()
    model = load_model("mine", package.name)().fit(chosen.rows[:5])
    path.write_bytes(saved_bytes(model, read_stamp(content), package.name))
    with pytest.raises(PredictorError, match=rf"model\.skops: damaged \(its SHA-256 is not as recorded\).*{ANEW}"):
        load_fitted(path, package.name)
    assert fitted_for(chosen, "mine", folder, package.name).file is None
    path.write_bytes(content[:200] + bytes(10) + content[210:])
    with pytest.raises(PredictorError, match=r"model\.skops: damaged \(.*fit anew: deepen predict MODEL"):
        load_fitted(path, package.name)


def test_a_damaged_file_without_a_record_is_found_where_it_is_loaded(saved):
    package, chosen, folder = saved
    path = saved_folder(folder, "mine", chosen.subject) / MODEL_FILE
    path.with_name(SUMS_FILE).unlink()
    with zipfile.ZipFile(path) as archive:
        text = archive.read(STAMP_FILE)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(STAMP_FILE, text)
        archive.writestr("schema.json", "{}")
    with pytest.raises(PredictorError, match=rf"model\.skops: mine damaged: .*{ANEW}"):
        predict_network(known(0), load_fitted(path, package.name))


def test_a_predictor_of_other_code_is_not_used(saved):
    package, chosen, folder = saved
    (package.folder / "mine" / "model.py").write_text(model_source(fit="self.other_ = 1"))
    with pytest.raises(PredictorError, match=rf"fitted by version \w{{12}} of mine; expected \w{{12}}.*{ANEW}"):
        load_fitted(saved_folder(folder, "mine", chosen.subject) / MODEL_FILE, package.name)


def drawn(svg):
    """All text of an SVG."""
    return list(ElementTree.fromstring(svg).itertext())


def test_chart_has_a_bar_for_every_kernel_and_a_name_for_what_is_not_covered():
    found = predict_network([*known(0, 1, 2), *network(untyped(10))], truthful())
    svg = energy_svg(found, "net on acme-phone")
    text = "\n".join(drawn(svg))
    assert svg == energy_svg(found, "net on acme-phone")
    assert "net on acme-phone" in text
    assert "at least" in text
    assert "4 softmax: not covered" in text
    assert svg.count('aria-roledescription="bar"') == 3
    assert int(float(re.search(r'width="([\d.]+)"', svg)[1])) <= 420


def test_chart_of_a_deep_network_has_a_bar_for_every_type():
    found = predict_network(known(*(number % 60 for number in range(MOST_BARS + 1))), truthful())
    svg = energy_svg(found, "deep")
    assert svg.count('aria-roledescription="bar"') == 3
    assert any("conv-bn-relu" in text for text in drawn(svg))


def test_a_network_with_just_the_coverage_asked_for_is_predicted():
    kernels = [*known(0), *network(untyped(known(0)[0].flops))]
    assert predict_network(kernels, truthful(), at_least=0.5).coverage_flops == 0.5
    with pytest.raises(CoverageError):
        predict_network(kernels, truthful(), at_least=0.5001)


@pytest.mark.parametrize("name", ["flops", "bytes_moved"])
def test_either_cost_alone_makes_the_coverage_too_little(name):
    (kernel,) = known(0)
    costs = {"flops": 0, "bytes_moved": 0} | {name: getattr(kernel, name)}
    kernels = [kernel, *network(untyped(**costs))]
    found = predict_network(kernels, truthful(), at_least=0.5)
    assert {found.coverage_flops, found.coverage_bytes} == {0.5, 1.0}
    with pytest.raises(CoverageError, match=r"--at-least 0\.5 gives.*\n  1 softmax, "):
        predict_network(kernels, truthful())


def test_unknown_bytes_are_covered_by_an_unknown_share():
    kernels = [*known(0), *network(untyped(0) | {"bytes_moved": None})]
    with pytest.raises(CoverageError, match=r"an unknown share of the bytes .*--at-least 0 gives"):
        predict_network(kernels, truthful())
    assert predict_network(kernels, truthful(), at_least=0).coverage_bytes is None


def far(kernel, energy_mj):
    """A kernel of more channels than any row, which takes about so much energy."""
    return kernel.model_copy(update={"cin": 4000, "flops": round(energy_mj * 1e7), "bytes_moved": 0})


def test_an_interval_is_widened_by_what_is_extrapolated():
    inside = known(0, 1, 2)
    alone = predict_network(inside, truthful())
    found = predict_network([*inside, far(inside[0], 0.1 * alone.energy_mj)], truthful())
    odd = found.kernels[3]
    assert 0 < found.extrapolated_share < MOST_WIDENED
    assert (odd.interval_mj, found.why_no_interval, found.is_extrapolated) == (None, "", False)
    low, high = alone.interval_mj
    assert found.interval_mj == pytest.approx((low, high + 2 * odd.energy_mj))


def test_weights_of_another_data_type_than_the_rows_have_are_extrapolated():
    inside = known(0, 2)
    narrow = [kernel.model_copy(update={"weight_dtype": "int4"}) for kernel in known(2, 5)]
    same = [kernel.model_copy(update={"weight_dtype": "fp32"}) for kernel in known(2)]
    assert predict_network([*inside, *same], truthful()).extrapolations == ()
    found = predict_network([*inside, *narrow], truthful())
    (warning,) = found.extrapolations
    assert warning.in_words == "fc with weight_dtype int4, fitted on fp32"
    assert warning.places == (2, 3)
    assert [each.interval_mj is None for each in found.kernels] == [False, False, True, True]


def test_a_kernel_that_the_predictor_gives_no_interval_for_widens_the_networks():
    kernels, chosen = known(0, 1, 2), training()
    fitted = truthful(chosen)

    def ask(frame, coverage):
        energies, bounds = fitted.predict(frame, coverage)
        bounds[np.asarray(frame["kernel"]) == "fc"] = np.nan
        return energies, bounds

    found = predict_network(kernels, FittedPredictor(fitted.stamp, fitted.ranges, None, ask))
    place = [each.kernel.kernel for each in found.kernels].index("fc")
    assert found.kernels[place].interval_mj is None
    assert [each.in_words for each in found.extrapolations] == [
        "fc with size that no row has, fitted on too few sizes to tell its error by"
    ]
    inside = sum(each.energy_mj for number, each in enumerate(found.kernels) if number != place)
    assert found.interval_mj[0] < inside
    assert found.interval_mj[1] > found.energy_mj + found.kernels[place].energy_mj


def test_where_much_is_extrapolated_there_is_no_interval_and_the_reason():
    inside = known(0, 1, 2)
    alone = predict_network(inside, truthful())
    found = predict_network([*inside, far(inside[0], 0.6 * alone.energy_mj)], truthful())
    assert MOST_WIDENED < found.extrapolated_share < MOST_EXTRAPOLATED
    assert (found.interval_mj, found.is_extrapolated) == (None, False)
    assert re.search(r"no interval: [34]\d\.\d % of the energy is extrapolated", found.why_no_interval)


def test_where_most_is_extrapolated_there_is_no_prediction_unless_it_is_asked_for():
    inside = known(0, 1, 2)
    kernels = [*inside, far(inside[0], 3 * predict_network(inside, truthful()).energy_mj)]
    with pytest.raises(ExtrapolationError) as refused:
        predict_network(kernels, truthful())
    said = str(refused.value)
    assert re.search(r"^7\d\.\d % of the energy on acme-phone .* truth was fitted on; expected at most 50\.0 %", said)
    assert "conv-bn-relu with cin 4000, fitted on 8 to 179: 7" in said
    assert "--extrapolate" in said
    found = predict_network(kernels, truthful(), may_extrapolate=True)
    assert (found.is_extrapolated, found.interval_mj) == (True, None)
    assert any(
        re.search(r"extrapolated: 7\d\.\d % of it outside the fit", text) for text in drawn(energy_svg(found, "n"))
    )


@pytest.mark.parametrize(("n", "end"), [(8, ", 807, 808"), (9, ", 807 … 809")])
def test_of_more_than_eight_values_the_middle_ones_are_left_out(n, end):
    odd = [entry(configurations(1)[0], cin=801 + number) for number in range(n)]
    (warning,) = predict_network(network(*odd), truthful(), may_extrapolate=True).extrapolations
    assert warning.found.endswith(end)


def test_the_quantity_with_most_rows_is_used_whether_absolute_or_not():
    idle = {"idle": {"power_mw": 300, "how": "Screen off."}}
    subtracted = kernel_device(energy_kind="idle-subtracted", facts={"name": "idle", "manifest": MEASURED | idle})
    found = training(kernel_device(n=59), subtracted)
    assert (found.subject.energy_kind, len(found.rows)) == ("idle-subtracted", 60)
    evenly = training(kernel_device(), subtracted)
    assert (evenly.subject.energy_kind, len(evenly.rows)) == ("absolute", 60)


def test_rows_of_larger_batches_are_not_fitted_on():
    batches = kernel_device(batch_size=2, facts={"name": "batches"})
    assert len(training(kernel_device(n=30), batches).rows) == 30
    with pytest.raises(UsageError, match="rows of larger batches only"):
        training(batches)


def test_a_kernel_that_runs_several_times_takes_the_energy_of_each_run():
    (kernel,) = known(0)
    looped = ListedKernel(
        **kernel.model_dump() | {"flops": 5 * kernel.flops, "bytes_moved": 5 * kernel.bytes_moved, "count": 5}
    )
    once, five = (predict_network([each], truthful()) for each in (kernel, looped))
    assert five.energy_mj == pytest.approx(5 * once.energy_mj)
    assert five.interval_mj == pytest.approx([5 * bound for bound in once.interval_mj])
    assert five.extrapolations == once.extrapolations
