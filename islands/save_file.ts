/** Hands a file to the browser as a download. Nothing leaves the machine. */
export function saveFile(fileName: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = fileName;
  link.click();
  // The download has its own hold on the blob once it was started.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** As `saveFile`, for a text. */
export function saveText(fileName: string, content: string): void {
  saveFile(
    fileName,
    new Blob([content], { type: "text/plain;charset=utf-8" }),
  );
}
