export const title = "Not found";

export default function NotFound() {
  return (
    <main class="notice">
      <p class="notice-brand">
        <img src="/icon.svg" width="32" height="32" alt="" /> Whisper
      </p>
      <h1>There is nothing at this address</h1>
      <p>
        <a href="/">Go to the start page</a>
      </p>
    </main>
  );
}
