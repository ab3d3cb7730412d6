/** Which command planrunner is here. */

export type Command = readonly [string, ...string[]];

export interface Places {
  /** The setting `planrunner.command`. */
  setting: readonly string[];
  /** The interpreter that the Python extension has chosen for the folder, if it has. */
  interpreter: string | undefined;
}

/** The setting, else the module of the chosen interpreter, else the path's program. */
export function commandOf(places: Places): Command {
  const [program, ...rest] = places.setting;
  if (program) {
    return [program, ...rest];
  }
  // -P: modules of the folder do not stand before those that are installed.
  return places.interpreter ? [places.interpreter, "-P", "-m", "planrunner"] : ["planrunner"];
}

/** A command line for a terminal of this system. */
export function quoted(words: readonly string[], platform: NodeJS.Platform): string {
  const quote = platform === "win32" ? quotedForPowerShell : quotedForShell;
  const line = words.map(quote).join(" ");
  return platform === "win32" && line.startsWith("'") ? `& ${line}` : line;
}

function quotedForShell(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}

function quotedForPowerShell(word: string): string {
  return /^[\w:./\\-]+$/.test(word) ? word : `'${word.replaceAll("'", "''")}'`;
}
