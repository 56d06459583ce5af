"""The command line: its sentences, its files, its exit codes, and that it says what the library says."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

import qwenvl
from qwenvl.cli import cost_check, finished_run, output
from qwenvl.cli.main import main
from qwenvl.cli.output import OutputError, whole_file
from qwenvl.inference.report import row_report, run_report
from qwenvl.inference.run import Run
from qwenvl.plan import PUBLISHED, in_bytes

QUESTION = "What shape is the green object?"
PICTURE = str(Path(__file__).parents[2] / "app" / "examples" / "shapes.png")


@pytest.fixture(scope="module")
def run_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `trace` wrote."""
    path = tmp_path_factory.mktemp("runs") / "shapes.run"
    assert main(["trace", QUESTION, "--about", PICTURE, "--of", "tiny-qwen-vl", "--into", str(path), "--quiet"]) == 0
    return path


# --- plan ---


def test_plan_prints_every_published_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "3840x2160"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in PUBLISHED)
    assert "10,549" in said


def test_plan_as_json_and_csv_are_the_librarys_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "page.png"
    Image.new("L", (700, 900)).save(path)
    asked = ["plan", str(path), "--of", "Qwen2-VL-2B", "Qwen-VL", "--max-pixels", "200704"]
    expected = qwenvl.plan_table(str(path), ["Qwen2-VL-2B", "Qwen-VL"], max_pixels=200_704)
    assert main([*asked, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == expected.to_json()
    assert main([*asked, "--csv", "--into", str(tmp_path / "plan.csv")]) == 0
    assert (tmp_path / "plan.csv").read_text(encoding="utf-8") == expected.to_csv()
    assert capsys.readouterr().out == ""


def test_plan_together_is_one_question(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", PICTURE, "640x480", "--together", "--of", "tiny-qwen2-vl", "--text", QUESTION, "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    expected = qwenvl.plan([PICTURE, (640, 480)], "tiny-qwen2-vl", text=QUESTION)
    assert told == json.loads(json.dumps(expected.to_json()))
    assert main(["plan", PICTURE, "--together", "--of", "Qwen2-VL-7B"]) == 0
    said = capsys.readouterr().out
    assert qwenvl.plan(PICTURE, "Qwen2-VL-7B").sentence in said
    assert "No limit bites" in said


def test_plan_by_toolchain(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "3840x2160", "--toolchains", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    expected = [outcome.to_json() for outcome in qwenvl.plan_toolchains((3840, 2160), "Qwen2-VL-2B")]
    assert told == [{"file": "3,840 × 2,160", **one} for one in json.loads(json.dumps(expected))]


def test_toolchains_take_folders_and_each_file_by_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, size in (("a.png", (2240, 2240)), ("b.png", (56, 56))):
        Image.new("L", size).save(tmp_path / name)
    assert main(["plan", str(tmp_path), "--toolchains", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [Path(one["file"]).name for one in told] == ["a.png"] * 5 + ["b.png"] * 5
    by_class = {Path(one["file"]).name: one["visual_tokens"] for one in told if one["key"] == "class"}
    assert by_class == {"a.png": 35 * 35, "b.png": 4}
    assert main(["plan", str(tmp_path), "--toolchains"]) == 0
    assert capsys.readouterr().out.count("the processor built from its class alone") == 2


def test_the_limit_that_bites_is_the_pages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "3840x2160", "640x360x48", "--max-pixels", "1,003,520"]) == 0
    said = capsys.readouterr().out
    one, clip = said.split("640 × 360, 48 frames")
    assert one.startswith("3,840 × 2,160\n")  # once, not as a name and again as a size
    limits = [line.split("  ")[-1] for line in one.strip().splitlines()[2:]]
    assert limits == ["448 × 448, always", "max_pixels", "max_pixels", "max_pixels"]
    assert "longer than the context" in next(line for line in clip.splitlines() if "Qwen-VL-Chat" in line)


def test_plan_of_one_broken_file_among_others_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "broken.png").write_bytes(b"nothing")
    assert main(["plan", str(tmp_path / "broken.png"), "9x9", "--csv"]) == 3
    said = capsys.readouterr()
    assert said.err.startswith("qwenvl plan: broken.png")
    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert rows[0]["error"].startswith("broken.png")
    assert len(rows) == 1 + len(PUBLISHED)


# --- ask, trace, look ---


def test_ask_streams_the_librarys_answer(capsys: pytest.CaptureFixture[str]) -> None:
    content = [{"type": "image", "image": PICTURE}, {"type": "text", "text": QUESTION}]
    expected = qwenvl.load("tiny-qwen2-vl").run([{"role": "user", "content": content}], temperature=0, seed=0)
    assert main(["ask", QUESTION, "--about", PICTURE]) == 0
    said = capsys.readouterr()
    assert said.out == expected.answer + "\n"
    assert "loading tiny-qwen2-vl" in said.err
    assert main(["ask", QUESTION, "--about", PICTURE, "--json", "--quiet", "--max-new-tokens", "2"]) == 0
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert (told["answer_tokens"], told["visual_tokens"], said.err) == (2, expected.media[0].num_tokens, "")


def test_trace_writes_a_run_that_holds_its_answer(run_file: Path) -> None:
    run = Run.load(run_file)
    report = run_report(run, words=True)
    assert "".join(word["text"] for word in report["words"]).startswith(run.answer)
    assert report["visual_tokens"] == 256
    assert report["prompt_tokens"] + report["answer_tokens"] == len(run.tokens)
    assert list(run_file.parent.iterdir()) == [run_file]


def test_look_is_the_runs_own_row(run_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = Run.load(run_file)
    asked = ["look", str(run_file), "--layer", "2", "--query", str(run.answer_start), "--head", "1"]
    assert main([*asked, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    row = run.attention("language", layer=2, query=run.answer_start, head=1)
    assert told["row"] == row.tolist()
    assert told["share"] == pytest.approx(float(row[run.visual[0]].sum()), abs=1e-6)
    assert main(asked) == 0
    assert f"{told['keys']:,} keys" in capsys.readouterr().out
    assert main(["look", str(run_file), "--site", "adapter", "--query", "40", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert sum(told["row"]) == pytest.approx(1, abs=1e-5)
    assert told["share"] == pytest.approx(1, abs=1e-5)
    assert main(["look", str(run_file), "--query", "40"]) == 3
    assert "Say which layer of language: 0 to 3." in capsys.readouterr().err


def test_a_row_before_the_picture_has_none_of_it() -> None:
    run = qwenvl.load("tiny-qwen2-vl").run(
        [{"role": "user", "content": [{"type": "image", "image": PICTURE}, {"type": "text", "text": "Hi?"}]}],
        answer="a",
    )
    first = int(run.visual[0][0])
    assert row_report(run, "language", layer=0, query=first - 1)["share"] == 0
    assert 0 < row_report(run, "language", layer=0, query=first)["share"] <= 1


# --- show, compare, serve ---


@pytest.mark.slow
@pytest.mark.parametrize(("suffix", "begins"), [("svg", b"<?xml"), ("pdf", b"%PDF"), ("html", b"<!doctype html>")])
def test_show_writes_a_view(run_file: Path, tmp_path: Path, suffix: str, begins: bytes) -> None:
    into = tmp_path / f"view.{suffix}"
    assert main(["show", str(run_file), "--into", str(into), "--word", "0", "--layer", "1", "--head", "mean"]) == 0
    content = into.read_bytes()
    assert content.startswith(begins)
    if suffix == "svg":
        assert b"language layer 1, mean of" in content
    if suffix == "html":
        assert b"tiny-qwen-vl" in content
    assert list(tmp_path.iterdir()) == [into]


@pytest.mark.slow
def test_compare_reports_both_models(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    into = tmp_path / "both.svg"
    assert main(["compare", QUESTION, "--about", PICTURE, "--into", str(into), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert list(report["models"]) == ["tiny-qwen-vl", "tiny-qwen2-vl"]
    assert report["question"] == QUESTION
    for name, told in report["models"].items():
        content = [{"type": "image", "image": PICTURE}, {"type": "text", "text": QUESTION}]
        run = qwenvl.load(name).run([{"role": "user", "content": content}], temperature=0)
        assert told["answer"] == run.answer
        word = told["words"][0]
        assert word["share"] == pytest.approx(float(run.shares(word["tokens"][0] - 1).mean()), abs=1e-6)
    assert b"A  tiny-qwen-vl" in into.read_bytes() or b"Qwen-VL" in into.read_bytes()


def test_compare_one_model_twice_tells_them_apart(capsys: pytest.CaptureFixture[str]) -> None:
    asked = [
        "compare",
        "Hello?",
        "--of",
        "tiny-qwen2-vl",
        "tiny-qwen2-vl",
        "--max-new-tokens",
        "1",
        "--json",
        "--quiet",
    ]
    assert main(asked) == 0
    assert list(json.loads(capsys.readouterr().out)["models"]) == ["tiny-qwen2-vl (1)", "tiny-qwen2-vl (2)"]


@pytest.mark.slow
def test_serve_opens_the_page_on_a_saved_run(run_file: Path) -> None:
    import httpx

    port = 7000 + os.getpid() % 800
    command = [sys.executable, "-m", "qwenvl", "serve", str(run_file), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert f":{port}" in first
        assert httpx.get(f"http://127.0.0.1:{port}/").status_code == 200
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=20)


# --- what goes wrong ---


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["plan", "nowhere.png"], "There is no file nowhere.png"),
        (["plan", "9x9", "--of", "Qwen9"], "There is no preset 'Qwen9'"),
        (["plan", "30000x2"], "one side 15,000.0 times the other"),
        (["ask", " "], "question"),
        (["ask", "Hi?", "--about", "nowhere.png"], "There is no file nowhere.png"),
        (["ask", "Hi?", "--of", "nowhere"], "There is no checkpoint 'nowhere'"),
        (["ask", "Hi?", "--max-new-tokens", "0"], "max_new_tokens is 0"),
        (["plan", "9x9", "--answer-tokens", "-5"], "answer_tokens is a whole number from 0 up"),
        (["trace", "Hi?", "--into", "nowhere/a.run"], "nowhere/a.run cannot be written"),
        (["compare", "Hi?", "--into", "."], ". cannot be written"),
        (["look", "nowhere.run", "--query", "1"], "There is no run file nowhere.run"),
        (["show", "nowhere.run", "--into", "a.svg"], "There is no run file nowhere.run"),
        (["serve", "nowhere.run"], "There is no run file nowhere.run"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_code_3(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finished_run, "load", None)  # and no model is loaded before it is said
    assert main([*arguments, "--quiet"]) == 3
    said = capsys.readouterr()
    assert sentence in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert "Traceback" not in said.err


def test_a_view_of_no_known_kind_is_refused(run_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(run_file), "--into", str(tmp_path / "view.docx")]) == 3
    assert "written as .svg, .pdf, .html, not .docx" in capsys.readouterr().err
    assert main(["show", str(run_file), "--into", str(tmp_path / "view.svg"), "--word", "99"]) == 3
    assert "word must be a whole number" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        *([], ["nothing"], ["look", "a.run"], ["plan"], ["plan", "9x9", "--fps", "fast"]),
        *(["plan", "9x9", "--json", "--csv"], ["plan", "9x9", "--toolchains", "--csv"]),
        *(["plan", "9x9", "--toolchains", "--max-pixels", "3136"], ["ask", "Hi?", "--dtype", "int32"]),
        *(["ask", "Hi?", "--max-new-tokens", "many"], ["trace", "Hi?", "--into", "a.run", "--keep", "some"]),
    ],
)
def test_wrong_arguments_are_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["", "plan", "ask", "trace", "look", "show", "compare", "serve"])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([*filter(None, [command]), "--help"])
    assert end.value.code == 0
    said = capsys.readouterr().out
    assert "usage: python -m qwenvl" in said
    assert command or "Exit codes: 0 done" in said


@pytest.mark.parametrize("arguments", [["ask", "What", "is", "this"], ["ask", "--about", PICTURE, "What is this?"]])
def test_a_question_without_its_marks_is_told_how_to_write_it(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert "usage: python -m qwenvl ask" in said
    assert "Put the question in quotation marks" in said


def test_the_cost_is_said_before_it_is_paid(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ["ask", QUESTION, "--about", PICTURE, "--dtype", "float32"]
    assert main(asked) == 0
    first = capsys.readouterr().err.splitlines()[0]
    expected = qwenvl.plan(PICTURE, "tiny-qwen2-vl", text=QUESTION, answer_tokens=64, bytes_per_value=4)
    assert f"{expected.prompt_tokens:,} tokens in the prompt" in first
    assert f"weights {in_bytes(2_371_584 * 4)}, cache {in_bytes(expected.kv_cache_bytes)}" in first
    monkeypatch.setattr(finished_run, "load", None)
    monkeypatch.setattr(cost_check, "free_bytes", lambda device: 6 << 20)
    assert main(asked) == 3
    assert "6.00 MiB are free: add --dtype bfloat16" in capsys.readouterr().err
    monkeypatch.setattr(cost_check, "free_bytes", lambda device: 3 << 20)
    assert main([*asked, "--quiet"]) == 3
    assert "3.00 MiB are free: choose a smaller model" in capsys.readouterr().err


@pytest.mark.parametrize(("keep", "sites"), [("language", {"language"}), ("nothing", set()), ("1MiB", {"language"})])
def test_a_trace_keeps_what_is_asked_for(tmp_path: Path, keep: str, sites: set[str]) -> None:
    into = tmp_path / "kept.run"
    assert main(["trace", QUESTION, "--about", PICTURE, "--keep", keep, "--into", str(into), "--quiet"]) == 0
    kept = Run.load(into).kept
    assert {name.split(".")[0] for name in kept} == sites
    if keep == "1MiB":
        assert sum(value.numel() * value.element_size() for value in kept.values()) <= 1 << 20


def test_progress_in_a_log_is_a_line_every_ten_seconds(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([100.0, 100.5, 109.0, 110.5, 111.0])
    monkeypatch.setattr(output, "time", SimpleNamespace(monotonic=lambda: next(clock)))  # other threads keep theirs
    progress = output.Progress(quiet=False)
    progress.say("loading it")
    for words in ("0.1 GiB", "0.2 GiB", "0.3 GiB", "0.4 GiB"):
        progress.say(words, often=True)
    assert capsys.readouterr().err == "loading it\n0.3 GiB\n"


# --- files appear whole ---


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    wanted = tmp_path / "report.json"
    wanted.write_text("what was there before", encoding="utf-8")

    def write_half() -> None:
        with whole_file(wanted) as path:
            path.write_text("half of it", encoding="utf-8")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert wanted.read_text(encoding="utf-8") == "what was there before"
    assert list(tmp_path.iterdir()) == [wanted]
    with whole_file(wanted) as path:
        path.write_text("all of it", encoding="utf-8")
    assert wanted.read_text(encoding="utf-8") == "all of it"
    assert list(tmp_path.iterdir()) == [wanted]
    with pytest.raises(OutputError, match="cannot be written"), whole_file(tmp_path / "nowhere" / "a.json"):
        pass


@pytest.mark.slow
def test_an_interrupted_trace_leaves_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "qwenvl", "trace", "Tell me all of it.", "--about", PICTURE, "--into", "all.run"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stderr is not None
    while not process.stderr.readline().startswith("loading"):
        pass  # the tiny model answers in a blink: no waiting here
    process.send_signal(signal.SIGINT)
    said: Any = process.stderr.read()
    assert process.wait(timeout=30) == 130
    assert "Interrupted" in said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="pipes that close, and a device that is full")
def test_a_reader_who_leaves_and_a_full_disk_are_no_defect(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "qwenvl", "ask", "Tell me all of it.", "--about", PICTURE, "--quiet"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    assert process.stdout is not None
    process.stdout.read(1)
    process.stdout.close()
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, b"")
    if not Path("/dev/full").exists():
        return
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, env=environment, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (3, b"qwenvl ask: The disk is full: free some room, and ask again.\n")
