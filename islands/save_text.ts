/** Hands a text to the browser as a download. Nothing leaves the machine. */
export function saveText(fileName: string, content: string): void {
  const url = URL.createObjectURL(
    new Blob([content], { type: "text/plain;charset=utf-8" }),
  );
  const link = document.createElement("a");
  link.href = url;
  link.download = fileName;
  link.click();
  // The download has its own hold on the blob once it was started.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
