/** Where someone without an account here begins. */
export default function Landing() {
  return (
    <main>
      <h1>Whisper</h1>
      <p>A private messenger.</p>
    </main>
  );
}
