import { expect, test } from 'vitest';

import { curlOf, pythonOf, type Sent } from './snippets';

const origin = 'http://atoll.lan:8080';

const speech: Sent = {
  task: 'speech_recognition',
  input: { file: 'talk.wav' },
  parameters: { language: 'en' },
  saveAs: null,
};

test('a file goes as a form', () => {
  expect(curlOf(speech, origin)).toBe(
    [
      'curl http://atoll.lan:8080/inference/speech_recognition',
      '-H "Authorization: Bearer $ATOLL_API_KEY"',
      "-F 'file=@talk.wav'",
      "--form-string 'language=en'",
    ].join(' \\\n  '),
  );
  const python = pythonOf(speech, origin);
  expect(python).toContain('with open("talk.wav", "rb") as file:\n    answer = requests.post(');
  expect(python).toContain('        files={"file": file},\n        data={"language": "en"},');
  expect(python).toContain('print(answer.json()["result"])');
});

test('names that a shell or curl would read as something else are shielded', () => {
  const named = (file: string) => curlOf({ ...speech, input: { file }, parameters: {} }, origin);
  expect(named("it's; rm -rf.wav")).toContain(`-F 'file=@"it'\\''s; rm -rf.wav"'`);
  expect(named('a"b\\c.wav')).toContain(`-F 'file=@"a\\"b\\\\c.wav"'`);
  expect(named('会议.wav')).toContain(`-F 'file=@"会议.wav"'`);
});

test('a text goes as JSON, whatever is in it', () => {
  const text = `"Don't!" she said.\n$HOME`;
  const sent: Sent = {
    task: 'emotion_detection',
    input: { text },
    parameters: {},
    saveAs: null,
  };
  const curl = curlOf(sent, origin);
  const body = /-d '([^]*)'$/.exec(curl)?.[1]?.replaceAll(`'\\''`, "'") ?? '';
  expect(JSON.parse(body)).toEqual({ text });
  expect(pythonOf(sent, origin)).toContain(`    json={"text": "\\"Don't!\\" she said.\\n$HOME"},`);
});

test('a result that is a file is asked for as one and kept', () => {
  const sent: Sent = {
    task: 'audio_denoising',
    input: { file: 'a.wav' },
    parameters: {},
    saveAs: { mediaType: 'audio/wav', name: 'denoised.wav' },
  };
  expect(curlOf(sent, origin)).toContain('-H "Accept: audio/wav" -o denoised.wav');
  expect(pythonOf(sent, origin)).toContain('"Accept": "audio/wav"}');
  expect(pythonOf(sent, origin)).toContain('open("denoised.wav", "wb").write(answer.content)');
});
