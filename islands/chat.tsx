/** The messenger. */
export default function Chat() {
  return (
    <main>
      <h1>Whisper</h1>
    </main>
  );
}
