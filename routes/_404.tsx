export const title = "Not found";

export default function NotFound() {
  return (
    <main class="notice">
      <h1>There is nothing at this address</h1>
      <p>
        <a href="/">Go to the start page</a>
      </p>
    </main>
  );
}
