import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.graphs.faults import MODEL_RULES, ModelFileError
from harness.graphs.graph import Graph
from harness.graphs.reading import parse_input_option, read_model
from tests.graphs.models import info, node, onnx_model, small_onnx, small_qdq, small_tflite

WHOLE = {
    "onnx": small_onnx().SerializeToString(),
    "qdq": small_qdq().SerializeToString(),
    "tflite": small_tflite(),
}
LONGEST_S = 20
FUZZED = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


def issue_of(path):
    with pytest.raises(ModelFileError) as error:
        read_model(path)
    return error.value.issues[0]


def outcome_of(path):
    try:
        return read_model(path)
    except ModelFileError as error:
        return error


def check_is_graph_or_issues(path, content):
    """A graph, or issues under rules of model files, in bounded time."""
    path.write_bytes(content)
    began = time.process_time()
    outcome = outcome_of(path)
    assert time.process_time() - began < LONGEST_S
    if isinstance(outcome, Graph):
        return
    assert outcome.issues
    assert {issue.rule for issue in outcome.issues} <= set(MODEL_RULES)
    assert all(str(issue).isprintable() for issue in outcome.issues)


@pytest.mark.parametrize("form", WHOLE)
def test_the_format_is_known_by_the_content(form, tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(WHOLE[form])
    graph = read_model(path)
    assert graph.layout == ("channels-last" if form == "tflite" else "channels-first")
    assert graph.name == path.as_posix()


@pytest.mark.parametrize(
    ("content", "found"), [(b"", "an empty file"), (b"\x00" * 100, "not a whole"), (WHOLE["onnx"][:-7], "not a whole")]
)
def test_what_is_no_model_is_an_issue(content, found, tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    issue = issue_of(path)
    assert issue.rule == "model-format"
    assert found in issue.found


def test_a_file_that_is_not_there_or_is_a_folder_is_an_issue(tmp_path):
    assert issue_of(tmp_path / "none.onnx").found == "no such file"
    assert issue_of(tmp_path).found == "not a plain file"
    assert issue_of(tmp_path).rule == "model-unreadable"


def test_a_file_of_more_than_two_gigabytes_is_not_read(tmp_path):
    path = tmp_path / "large.onnx"
    with path.open("wb") as file:
        file.truncate(2 * 1024**3 + 1)
    assert issue_of(path).rule == "model-unreadable"


@pytest.mark.parametrize("text", ["", "x", "x=", "=1x3", "x=1x", "x=1x-3", "x=1x0", "x=1,3", "x=99999999999", "x=1x²"])
def test_an_input_option_of_another_form_is_wrong_usage(text):
    with pytest.raises(UsageError):
        parse_input_option(text)


def test_an_input_may_have_a_sign_of_equality_in_its_name():
    assert parse_input_option("a=b=2x3") == ("a=b", (2, 3))


def test_the_time_grows_with_the_number_of_operators(tmp_path):
    def seconds(n_operators):
        chain = [node("Relu", f"t{place}", f"t{place + 1}") for place in range(n_operators)]
        path = tmp_path / f"{n_operators}.onnx"
        path.write_bytes(
            onnx_model(chain[::-1], [info("t0", (1, 8))], [info(f"t{n_operators}", None)]).SerializeToString()
        )
        began = time.process_time()
        assert len(read_model(path).nodes) == n_operators
        return time.process_time() - began

    seconds(10)
    assert seconds(8000) < 20 * max(seconds(1000), 0.05)


@FUZZED
@given(st.binary(max_size=300), st.sampled_from([b"", b"\x1c\x00\x00\x00TFL3"]))
@example(b"", b"\x00\x00\x00\x00TFL3")
def test_any_bytes_give_a_graph_or_issues(tmp_path, content, begin):
    check_is_graph_or_issues(tmp_path / "model", begin + content)


@FUZZED
@given(st.sampled_from(sorted(WHOLE)), st.floats(0, 1))
def test_truncated_models_give_a_graph_or_issues(tmp_path, form, share):
    check_is_graph_or_issues(tmp_path / "model", WHOLE[form][: int(share * len(WHOLE[form]))])


@FUZZED
@given(st.data())
def test_models_with_flipped_bits_give_a_graph_or_issues(tmp_path, data):
    content = bytearray(WHOLE[data.draw(st.sampled_from(sorted(WHOLE)))])
    for place in data.draw(st.lists(st.integers(0, 8 * len(content) - 1), min_size=1, max_size=4)):
        content[place // 8] ^= 1 << place % 8
    check_is_graph_or_issues(tmp_path / "model", bytes(content))


@FUZZED
@given(st.data())
def test_models_with_replaced_words_give_a_graph_or_issues(tmp_path, data):
    content = bytearray(WHOLE["tflite"])
    extremes = st.sampled_from([0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFF, len(content)])
    for place in data.draw(st.lists(st.integers(0, len(content) // 4 - 1), min_size=1, max_size=3)):
        content[4 * place : 4 * place + 4] = data.draw(extremes).to_bytes(4, "little")
    check_is_graph_or_issues(tmp_path / "model", bytes(content))


def test_an_extent_of_an_input_may_be_the_largest_of_32_bits_and_no_larger():
    assert parse_input_option("x=1x2147483647") == ("x", (1, 2147483647))
    with pytest.raises(UsageError, match="outside 1 to 2147483647"):
        parse_input_option("x=1x2147483648")
