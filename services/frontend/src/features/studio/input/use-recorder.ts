import { useCallback, useEffect, useRef, useState } from 'react';

/** Why there is no recording. */
export type RecorderProblem = 'insecure' | 'denied' | 'absent';

const wished = ['audio/webm;codecs=opus', 'audio/mp4', 'audio/ogg;codecs=opus'];

function problemOf(error: unknown): RecorderProblem {
  const name = error instanceof DOMException ? error.name : '';
  return name === 'NotAllowedError' || name === 'SecurityError' ? 'denied' : 'absent';
}

function fileOf(parts: Blob[], type: string): File {
  const bare = type.split(';')[0] ?? 'audio/webm';
  const time = new Date().toTimeString().slice(0, 8).replaceAll(':', '');
  return new File(parts, `recording-${time}.${bare.split('/')[1] ?? 'webm'}`, { type: bare });
}

/** Records from the microphone; `onRecorded` gets the file when `stop` was called. */
export function useRecorder(onRecorded: (file: File) => void) {
  const recorder = useRef<MediaRecorder | null>(null);
  const [since, setSince] = useState<number | null>(null);
  const [seconds, setSeconds] = useState(0);
  const [problem, setProblem] = useState<RecorderProblem | null>(null);

  const stop = useCallback(() => {
    if (recorder.current?.state === 'recording') recorder.current.stop();
  }, []);

  const start = async () => {
    setProblem(null);
    // Browsers offer the microphone on secure pages only.
    if (!window.isSecureContext || !('mediaDevices' in navigator)) {
      setProblem('insecure');
      return;
    }
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      const mimeType = wished.find((type) => MediaRecorder.isTypeSupported(type));
      const made = new MediaRecorder(stream, mimeType === undefined ? {} : { mimeType });
      const parts: Blob[] = [];
      made.ondataavailable = ({ data }) => parts.push(data);
      made.onstop = () => {
        for (const track of stream.getTracks()) track.stop();
        setSince(null);
        if (recorder.current === made) onRecorded(fileOf(parts, made.mimeType));
      };
      recorder.current = made;
      made.start();
      setSeconds(0);
      setSince(Date.now());
    } catch (error) {
      setProblem(problemOf(error));
    }
  };

  useEffect(() => {
    if (since === null) return;
    const timer = setInterval(() => setSeconds((Date.now() - since) / 1000), 250);
    return () => clearInterval(timer);
  }, [since]);

  // Whoever leaves the page has not asked for the recording.
  useEffect(
    () => () => {
      const last = recorder.current;
      recorder.current = null;
      if (last?.state === 'recording') last.stop();
    },
    [],
  );

  return { start, stop, recording: since !== null, seconds, problem };
}
