"""Drives an emulator with the official Python SDK, unchanged.

    pip install dashscope==2.0.2 openai
    python3 drive.py [BASE_URL]

BASE_URL is what `talkmeter emulate` prints; without it, DASHSCOPE_HTTP_BASE_URL. Prints a line for each check; the first
that fails ends it with a non-zero exit code. Without `openai`, what needs it is left out.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import wave
from http import HTTPStatus
from urllib import error, request

import dashscope
from dashscope.audio.asr import Transcription, VocabularyService
from httpx_sse import EventSource
from dashscope.utils.oss_utils import OssUtils

try:
    import openai
except ImportError:
    openai = None

BASE = sys.argv[1] if len(sys.argv) > 1 else os.environ["DASHSCOPE_HTTP_BASE_URL"]
KEY = os.environ.get("DASHSCOPE_API_KEY", "sk-emulator")
GOOD = "https://example.org/calls/hello_world.wav"
GONE = "https://example.invalid/calls/gone.wav"

CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def check_with_openai(function):
    return check(function) if openai else function


def submitted(*urls, model="fun-asr", **parameters):
    answer = Transcription.async_call(model=model, file_urls=list(urls), **parameters)
    assert answer.status_code == HTTPStatus.OK, answer
    assert answer.output.task_status == "PENDING", answer
    assert answer.request_id, answer
    return answer.output.task_id


def fetched(url):
    with request.urlopen(url) as response:
        return json.loads(response.read().decode("utf8"))


@check
def submit_wait_and_read_the_result():
    task = submitted(GOOD, language_hints=["en", "zh"], channel_id=[0])
    answer = Transcription.wait(task=task)
    assert answer.status_code == HTTPStatus.OK, answer
    assert answer.output.task_status == "SUCCEEDED", answer
    (result,) = answer.output["results"]
    assert result["file_url"] == GOOD
    file = fetched(result["transcription_url"])
    (transcript,) = file["transcripts"]
    assert transcript["text"] and transcript["sentences"][0]["words"]
    assert answer.usage["duration"] == -(-transcript["content_duration_in_milliseconds"] // 1000)


@check
def call_submits_and_waits_in_one():
    answer = Transcription.call(model="paraformer-v2", file_urls=[GOOD], disfluency_removal_enabled=True)
    assert answer.status_code == HTTPStatus.OK and answer.output.task_status == "SUCCEEDED", answer


@check
def fetch_sees_it_wait_run_and_end():
    task, seen = submitted(GOOD), []
    while not seen or seen[-1] in ("PENDING", "RUNNING"):
        answer = Transcription.fetch(task=task)
        if not seen or seen[-1] != answer.output.task_status:
            seen.append(answer.output.task_status)
        time.sleep(0.1)
    assert seen[0] == "PENDING" and seen[-1] == "SUCCEEDED", seen


@check
def one_bad_file_of_two():
    answer = Transcription.wait(task=submitted(GOOD, GONE))
    assert answer.status_code == HTTPStatus.OK and answer.output.task_status == "SUCCEEDED", answer
    good, gone = answer.output["results"]
    assert good["subtask_status"] == "SUCCEEDED"
    assert (gone["subtask_status"], gone["code"]) == ("FAILED", "FILE_DOWNLOAD_FAILED"), gone


@check
def only_bad_files():
    answer = Transcription.wait(task=submitted(GONE))
    assert answer.output.task_status == "FAILED", answer
    assert answer.output["results"][0]["code"] == "FILE_DOWNLOAD_FAILED", answer


@check
def two_tracks_and_speakers():
    answer = Transcription.wait(task=submitted("https://example.org/stereo.wav", channel_id=[0, 1]))
    file = fetched(answer.output["results"][0]["transcription_url"])
    assert [transcript["channel_id"] for transcript in file["transcripts"]] == [0, 1]
    answer = Transcription.wait(task=submitted(GOOD, diarization_enabled=True, speaker_count=2))
    file = fetched(answer.output["results"][0]["transcription_url"])
    speakers = {sentence["speaker_id"] for sentence in file["transcripts"][0]["sentences"]}
    assert speakers == {0, 1}, speakers


@check
def words_are_filtered():
    rules = json.dumps({"filter_with_signed": {"word_list": ["you"]}, "filter_with_empty": {"word_list": ["the"]}})
    answer = Transcription.wait(task=submitted(GOOD, language_hints=["en"], special_word_filter=rules))
    file = fetched(answer.output["results"][0]["transcription_url"])
    words = [word["text"].strip().lower() for s in file["transcripts"][0]["sentences"] for word in s["words"]]
    assert "***" in words and "you" not in words and "the" not in words, words


@check
def a_wrong_key():
    answer = Transcription.async_call(model="fun-asr", file_urls=[GOOD], api_key="no-key")
    assert (answer.status_code, answer.code) == (401, "InvalidApiKey"), answer
    assert answer.message == "Invalid API-key provided." and answer.request_id, answer


@check
def an_unknown_model_and_no_files():
    answer = Transcription.async_call(model="fun-asr-0", file_urls=[GOOD])
    assert (answer.status_code, answer.code) == (400, "InvalidParameter"), answer
    answer = Transcription.async_call(model="fun-asr", file_urls=[])
    assert (answer.status_code, answer.code) == (400, "InvalidParameter"), answer


@check
def an_unknown_task():
    answer = Transcription.fetch(task="7d0c1f6e-3b0a-4d1c-9a58-0f3f7c1b2e44")
    assert (answer.status_code, answer.output.task_status) == (200, "UNKNOWN"), answer


@check
def cancel_while_it_waits_and_not_after():
    task = submitted(GOOD)
    answer = Transcription.cancel(task)
    assert answer.status_code == HTTPStatus.OK, answer
    assert Transcription.fetch(task=task).output.task_status == "CANCELED"
    answer = Transcription.cancel(task)
    assert (answer.status_code, answer.code) == (400, "UnsupportedOperation"), answer


@check
def the_list():
    task = submitted(GOOD, model="paraformer-8k-v2")
    answer = Transcription.list(model_name="paraformer-8k-v2", page_size=5)
    assert answer.status_code == HTTPStatus.OK, answer
    page = answer.output
    assert (page["page_no"], page["page_size"]) == (1, 5), answer
    assert page["data"][0]["task_id"] == task, answer
    assert page["data"][0]["gmt_create"] > 1_700_000_000_000, answer


@check
def a_misspelt_parameter_spoils_the_task():
    answer = Transcription.wait(task=submitted(GOOD, chanel_id=[0]))
    assert answer.output.task_status == "FAILED", answer
    assert "missing status name" in answer.output["message"], answer


@check
def hotword_lists():
    service = VocabularyService()
    words = [{"text": "metformin", "weight": 4, "lang": "en"}]
    name = service.create_vocabulary(target_model="fun-asr", prefix="clinic", vocabulary=words)
    assert name.startswith("vocab-clinic-"), name
    assert any(row["vocabulary_id"] == name for row in service.list_vocabularies(prefix="clinic"))
    assert service.query_vocabulary(name)["vocabulary"] == words
    service.update_vocabulary(name, [{"text": "etcd", "weight": 5}])
    answer = Transcription.wait(task=submitted(GOOD, vocabulary_id=name))
    assert answer.output.task_status == "SUCCEEDED", answer
    service.delete_vocabulary(name)
    answer = Transcription.async_call(model="fun-asr", file_urls=[GOOD], vocabulary_id=name)
    assert (answer.status_code, answer.code) == (400, "BadRequest.ResourceNotExist"), answer


@check
def an_upload_is_transcribed():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "call.wav")
        with wave.open(path, "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(b"\0" * 4 * 8000 * 12)
        answer = OssUtils.upload(model="fun-asr", file_path=path, api_key=KEY)
        url = answer[0] if isinstance(answer, tuple) else answer
    assert url.startswith("oss://"), url
    task = submitted(url, channel_id=[0, 1], headers={"X-DashScope-OssResourceResolve": "enable"})
    answer = Transcription.wait(task=task)
    assert answer.output.task_status == "SUCCEEDED", answer
    file = fetched(answer.output["results"][0]["transcription_url"])
    assert file["properties"]["original_duration_in_milliseconds"] == 12_000
    assert file["properties"]["channels"] == [0, 1]


@check
def a_link_takes_no_key():
    answer = Transcription.wait(task=submitted(GOOD))
    url = answer.output["results"][0]["transcription_url"]
    try:
        request.urlopen(request.Request(url, headers={"Authorization": f"Bearer {KEY}"}))
    except error.HTTPError as refused:
        assert refused.code == 400, refused
    else:
        raise AssertionError("a key was accepted by the storage")


@check
def the_second_client_submits_and_waits():
    with dashscope.Client(api_key=KEY, base_url=BASE) as client:
        job = client.audio.asr.jobs.create(
            model="qwen-audio-3.1-asr-flash-filetrans", file_urls=[GOOD], parameters={}
        )
        assert job.task_id and job.status == "PENDING", job
        job = client.audio.asr.jobs.wait(job, timeout=30)
        assert job.status == "SUCCEEDED" and not job.is_error, job
        assert fetched(job.output["results"][0]["transcription_url"])["transcripts"]


@check
def a_clip_streams_as_events():
    audio = {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": GOOD}}]}
    body = {
        "model": "qwen-audio-3.1-asr-flash",
        "input": {"messages": [audio]},
        "parameters": {"format": "wav", "sample_rate": "16000"},
    }
    events = []
    with dashscope.Client(api_key=KEY, base_url=BASE) as client:
        response = client.transport.open_stream(
            "POST",
            "/services/aigc/multimodal-generation/generation",
            json=body,
            headers={"X-DashScope-SSE": "enable"},
            timeout=30,
            sdk_module="audio",
        )
        try:
            for event in EventSource(response).iter_sse():
                assert event.event == "result", event
                events.append(json.loads(event.data)["output"])
        finally:
            response.close()
    texts = [event["text"] for event in events]
    assert len(texts) > 5 and all(len(before) <= len(after) for before, after in zip(texts, texts[1:])), texts
    assert any(not after.startswith(before) for before, after in zip(texts, texts[1:])), "nothing was revised"
    assert [event["sentence"]["sentence_end"] for event in events].index(True) == len(events) - 1, events


def example(module, *arguments):
    """Runs an example that comes with the SDK, unchanged."""
    base = {"DASHSCOPE_API_KEY": KEY, "DASHSCOPE_HTTP_BASE_URL": BASE, "DASHSCOPE_BASE_URL": BASE}
    command = [sys.executable, "-m", f"dashscope.examples.{module}", *arguments]
    run = subprocess.run(command, env={**os.environ, **base}, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@check
def the_sdks_own_stream_example_runs():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "text.txt")
        url = "https://example.org/jargon.wav"
        module = "01_atomic_capabilities.audio.direct_call.asr_http_stream"
        example(module, "--url", url, "--transcript", path)
        with open(path, encoding="utf-8") as file:
            text = file.read()
    assert text.startswith("What insider jargon") and text.endswith("Bird Rock, BB..."), text


@check
def the_sdks_own_qwen3_examples_run():
    whole = example("legacy_1x.qwen_asr")
    assert "audio_info" in whole and len(whole) > 200, whole
    time.sleep(1)
    assert len(example("legacy_1x.multimodal_conversation.asr")) > 100


@check
def qwen3_answers_whole_and_in_pieces():
    messages = [{"role": "user", "content": [{"audio": GOOD}]}, {"role": "system", "content": [{"text": "etcd"}]}]
    ask = {"model": "qwen3-asr-flash", "messages": messages, "result_format": "message",
           "asr_options": {"language": "en", "enable_lid": True}}
    answer = dashscope.MultiModalConversation.call(**ask)
    assert answer.status_code == HTTPStatus.OK, answer
    whole = answer.output.choices[0].message.content[0]["text"]
    time.sleep(1)
    pieces = []
    for chunk in dashscope.MultiModalConversation.call(**ask, stream=True, incremental_output=True):
        assert chunk.status_code == HTTPStatus.OK, chunk
        pieces += [part["text"] for part in chunk.output.choices[0].message.content]
    assert len(pieces) > 5 and "".join(pieces) == whole, pieces


def compatible():
    url = BASE.replace("/api/v1", "/compatible-mode/v1")
    return openai.OpenAI(api_key=KEY, base_url=url, max_retries=0)


def spoken(chunks):
    """Text, thoughts and usage of a stream."""
    text, thoughts, usage = "", "", None
    for chunk in chunks:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            thoughts += getattr(choice.delta, "reasoning_content", None) or ""
    return text, thoughts, usage


@check_with_openai
def compatible_mode_recognises():
    messages = [
        {"role": "system", "content": [{"text": "Names: Keiko, Anselm"}]},
        {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": GOOD}}]},
    ]
    ask = {"model": "qwen3-asr-flash", "messages": messages, "extra_body": {"asr_options": {"language": "en"}}}
    time.sleep(1)
    answer = compatible().chat.completions.create(**ask, stream=False)
    whole = answer.choices[0].message
    assert whole.content and whole.annotations[0].type == "audio_info", answer
    assert answer.usage.seconds > 0 and answer.usage.prompt_tokens_details.audio_tokens > 0, answer
    time.sleep(1)
    chunks = compatible().chat.completions.create(**ask, stream=True, stream_options={"include_usage": True})
    text, _, usage = spoken(chunks)
    assert text == whole.content and usage.total_tokens == answer.usage.total_tokens


@check_with_openai
def compatible_mode_transcribes_with_a_prompt():
    audio = {"type": "input_audio", "input_audio": {"data": GOOD, "format": "wav"}}
    prompt = {"type": "text", "text": "Transcribe the audio."}
    ask = {
        "messages": [{"role": "user", "content": [audio, prompt]}],
        "modalities": ["text"],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    create = compatible().chat.completions.create
    text, thoughts, usage = spoken(create(model="qwen3.5-omni-flash", **ask))
    assert text and not thoughts and usage.prompt_tokens_details.audio_tokens > 0
    assert spoken(create(model="qwen3.8-omni-flash", **ask))[1]
    assert spoken(create(model="qwen3.8-omni-flash", **ask, reasoning_effort="none"))[:2] == (text, "")
    ask.update(stream=False)
    del ask["stream_options"]
    try:
        create(model="qwen3.5-omni-plus", **ask)
    except openai.BadRequestError as refused:
        assert "only support with stream=true" in refused.message, refused
        assert refused.code == "invalid_parameter_error", refused
    else:
        raise AssertionError("an answer without a stream")


def main():
    dashscope.base_http_api_url = BASE
    dashscope.api_key = KEY
    for function in CHECKS:
        try:
            function()
        except Exception:
            print(f"failed: {function.__name__}")
            raise
        print(f"ok: {function.__name__}")
    print(f"{len(CHECKS)} checks passed")


if __name__ == "__main__":
    main()
