/** Modules that the build makes, and what Vite adds to `import.meta`. */

declare module "virtual:client-files" {
  /** What a page links to: the entry, and by island the chunks and style sheets it needs. */
  export const clientFiles: import("./page.ts").ClientFiles;
}

declare module "virtual:bundle" {
  /** The built client and pages, by URL path; `undefined` while developing. */
  export const bundle: ReadonlyMap<
    string,
    import("./static_files.ts").StaticFile
  >;
}

interface ImportMeta {
  readonly env: { readonly PROD: boolean; readonly DEV: boolean };
  glob<T>(
    pattern: string | string[],
    options: { eager: true; query?: string; import?: "default" },
  ): Record<string, T>;
  glob<T>(pattern: string | string[]): Record<string, () => Promise<T>>;
}

declare module "*.css" {}
