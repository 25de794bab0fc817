/**
 * The words of what is opened or asked for, in English: fetched with it, because the first page needs
 * none of them. A translation is another object of this shape.
 */
import type {
  AnotherAccessKey,
  InvitationFailure,
  InviteFailure,
  LogInOutcome,
  MoveOutcome,
  RemovalOutcome,
} from "../../lib/client/view.ts";
import { count } from "./count.ts";

/** What the person who made a code is told when it comes to nothing. */
const offerFailures: Record<InviteFailure, string> = {
  malformed: "The code could not be used. Generate a new one.",
  wrong:
    "Somebody entered a code that was almost yours, so this one was burnt. Generate a new one and read it out slowly.",
  expired:
    "Nobody entered the code within five minutes. Generate a new one when your friend is ready.",
  used: "This code has been used already. Generate a new one.",
  own: "This is your own code. Your friend has to enter it on their side.",
  "other-relay":
    "Your friend's account is on another server, which this one does not forward to. Ask whoever runs this server.",
  unreachable:
    "Your friend's account is on another server, which can't be reached now. Generate a new code later.",
  "already-connected":
    "You already have a conversation with this person. Look for their name in your conversations.",
  blocked:
    "You have blocked the person who entered this code. Unblock them first, then generate a new one.",
  "device-list":
    "Somebody entered this code as a person you know, with devices that are not theirs, or no longer. Nothing was changed. Ask that person whether it was them.",
  "relay-misbehaved":
    "The server gave an answer that an honest server would not give, so nothing was shared. Try again; if it happens again, tell whoever runs this server.",
  access:
    "This server is private. Close this, enter its password above, then generate a code again.",
  offline:
    "The server can't be reached. Check your connection, then generate a code again.",
  busy:
    "The server asks for patience. Wait a minute, then generate a code again.",
};

/** What the person who entered a code is told when it comes to nothing. */
const joinFailures: Record<InviteFailure, string> = {
  malformed:
    "A code has ten letters and digits, like 7K3QX-9MPRT. Compare it with what your friend sees and try again.",
  wrong:
    "That was not the right code. For safety it can't be tried a second time: ask your friend to generate a new one.",
  expired:
    "This code has expired or never existed. A code works for five minutes: ask your friend for a new one.",
  used:
    "This code has been used already, or was taken back; each works once. Ask your friend for a new one.",
  own:
    "This is your own code. Give it to your friend, who enters it on their side.",
  "other-relay":
    "This code belongs to another server, which this one does not forward to. Ask whoever runs this server.",
  unreachable:
    "This code belongs to another server, which can't be reached now. Compare its name with what your friend sees, and try again.",
  "already-connected":
    "You already have a conversation with this person. Look for their name in your conversations.",
  blocked:
    "You have blocked the person whose code this is. Unblock them first, then ask for a new code.",
  "device-list":
    "This code comes from somebody you know, with devices that are not theirs, or no longer. Nothing was changed. Ask that person whether it was them.",
  "relay-misbehaved":
    "The server gave an answer that an honest server would not give, so nothing was shared. Ask your friend for a new code; if it happens again, tell whoever runs this server.",
  access:
    "This server is private. Close this, enter its password above, then try again.",
  offline: "The server can't be reached. Check your connection and try again.",
  busy: "The server asks for patience. Wait a minute, then try again.",
};

/** What the person who opened a link is told when it comes to nothing. */
const linkFailures: Record<InvitationFailure, string> = {
  malformed:
    "This is not a whole link: part of it may have been lost on the way. Ask your friend to send it again, or copy all of it.",
  gone:
    "This link has been withdrawn, or its time is over. Ask your friend for a new one.",
  expired: "The time of this link is over. Ask your friend for a new one.",
  "used-up":
    "As many people as it was made for have used this link already. Ask your friend for a new one.",
  own:
    "This is your own link. Send it to the friend you want to invite; they open it on their side.",
  "other-relay":
    "This link belongs to another server, which this one does not forward to. Ask whoever runs this server.",
  access:
    "This server is private. Close this, enter its password above, then try again.",
  unreachable:
    "This link belongs to another server, which can't be reached now. Try again later.",
  "already-connected":
    "You already have a conversation with this person. Look for their name in your conversations.",
  blocked:
    "You have blocked the person whose link this is. Unblock them first, then open it again.",
  "device-list":
    "This link comes from somebody you know, with devices that are not theirs, or no longer. Nothing was changed. Ask that person whether it was them.",
  refused: "They said no. Nothing of you stays with them but your name.",
  withdrawn: "They have taken their request back.",
  "relay-misbehaved":
    "What the server gave for this link is not what your friend put there, so nothing was shared. Ask your friend for a new one; if it happens again, tell whoever runs this server.",
  offline: "The server can't be reached. Check your connection and try again.",
  busy: "The server asks for patience. Wait a minute, then try again.",
};

type MoveFailure = Exclude<MoveOutcome, { ok: true } | { reason: "found" }>;

type LogInFailure = Exclude<LogInOutcome, { ok: true } | { reason: "found" }>;

const logInFailures: {
  [R in LogInFailure["reason"]]: (
    failure: Extract<LogInFailure, { reason: R }>,
  ) => string;
} = {
  mistyped: ({ group }) =>
    `One character is wrong. Look at group ${group} of the eight: compare it with what you stored.`,
  malformed: () =>
    "An access key has 32 letters and digits, in eight groups of four. Compare all of it with what you stored.",
  "other-account": () =>
    "This is the key of another account. The one stored in this browser opens only with its own key.",
  "nothing-here": () =>
    "The key is well-formed, but neither this browser nor this server has an account of it. A key that you did not go on with when you saw it opens nothing. Nothing was created.",
  unreachable: () =>
    "This browser holds no account, and the server can't be asked for a backup now. Try again when you are online.",
  damaged: () =>
    "This server has a backup of the account, but it is damaged and can't be read. Nothing was created.",
  "newer-version": () =>
    "A newer version of this program has written the backup. Reload this page to get that version.",
  "too-many-devices": () =>
    "This account has eight devices, and there can't be more. Remove one of them in the settings of another, or replace all of them.",
};

function removalFailure(
  outcome: Exclude<RemovalOutcome, { ok: true }>,
): string {
  switch (outcome.reason) {
    case "mistyped":
      return logInFailures.mistyped(outcome);
    case "malformed":
      return logInFailures.malformed(outcome);
    case "other-account":
      return "This is the key of another account. Nothing was changed.";
    case "unreachable":
      return "The server can't be reached now, or does not have all that changed yet. Try again in a moment.";
    case "no-such-device":
      return "This device is not among yours any more.";
    case "no-backup":
      return "There is no backup at this server. Log out and in with your access key first, which makes one.";
  }
}
type KeyChangeFailure = Exclude<AnotherAccessKey, { ok: true }>;

const keyChangeFailures: {
  [R in KeyChangeFailure["reason"]]: (
    failure: Extract<KeyChangeFailure, { reason: R }>,
  ) => string;
} = {
  mistyped: logInFailures.mistyped,
  malformed: logInFailures.malformed,
  "other-account": () =>
    "This is the key of another account, or one that was changed already. Nothing was changed.",
  invite: () =>
    "An invitation is still open. Wait until you have met, or withdraw codes, links and requests, and try again.",
  unreachable: () =>
    "What your other devices did last can't be read from the server now. Nothing was changed. Try again in a moment.",
  "too-often": () =>
    "The key of this account was changed as often as it can be. Create a new account, and meet your contacts from there.",
};

export const enOnDemand = {
  copying: {
    copied: "Copied",
    refused: "Copying was refused by the browser",
  },

  changeKey: {
    title: "Change the access key?",
    lead: "You get another key. The one you have now opens nothing any more.",
    follows: [
      "Your contacts stay. They are told, and see that your safety number is another one.",
      "The backup at the server is made anew, and the old one deleted there.",
    ],
    removes:
      "These devices are removed with it, and erase what they have once they hear of it. What was said is on this browser. Add them again with the new key:",
    label: "Access key",
    hint: "The one you have now, eight groups of four.",
    missing: "Enter your access key.",
    broken: "That did not work, and nothing was changed. Try again.",
    next: "Continue",
    nextTitle: "Keep your new access key",
    nextLead:
      "It is shown this once, and takes the place of the one before when you go on. Keep both until you are told that it was changed.",
    change: "Change access key",
    outcomes: {
      changed: {
        title: "Your access key was changed",
        body:
          "The one before opens nothing any more. Destroy what you have of it.",
      },
      unchanged: {
        title: "Your access key was not changed",
        body:
          "The one you had is still yours, and the new one opens nothing. Try again in the settings.",
      },
    },
    failure: (failure: KeyChangeFailure): string =>
      // As with `logInFailures`.
      (keyChangeFailures[failure.reason] as (f: KeyChangeFailure) => string)(
        failure,
      ),
  },
  relayPassword: {
    lead: "To meet people, enter the password that whoever runs it gives you.",
    label: "Relay password",
    use: "Use password",
    using: "Trying…",
    mistakes: {
      wrong: "That is not the password of this server.",
      later: "The server did not answer to it. Try again in a moment.",
      missing: "Enter the password first.",
    },
  },

  create: {
    title: "Create your account",
    lead:
      "Choose what your friends will see. It goes only to people you connect with, never to the server.",
    name: "Display name",
    nameHint: "Up to 64 characters. A nickname is fine.",
    nameMissing: "Write a name your friends will know you by.",
    submit: "Create account",
    submitting: "Creating…",
    exists:
      "This browser already holds an account. Reload the page to open it.",
  },

  accessKey: {
    title: "Keep your access key",
    lead:
      "It is shown this once. It opens your account in any other browser, and here after you log out; nobody can give you another one. If you saw another key here before, without going on from it, throw that one away: it opens nothing.",
    label: "Access key",
    download: "Download key",
    copy: "Copy to clipboard",
    downloaded:
      "Saved by your browser as a text file. Move it somewhere only you can open.",
    stored: "I have stored my access key",
    next: "Continue",
    saving: "Opening…",
    saveFailed:
      "The account could not be stored in this browser. Your key is still good: try again.",
    fileName: "whisper-access-key.txt",
    file: (name: string, key: string, origin: string) =>
      `Whisper access key\n\nName:    ${name}\nServer:  ${origin}\n\n    ${key}\n\nWhoever has this key is you. Keep it where only you can open it.\nNobody can give you another one.\n`,
  },

  logIn: {
    title: "Log in",
    lead:
      "Enter your access key. It brings back who you are and whom you know from the backup at this server.",
    found: {
      title: "Your account was found",
      lead: (name: string, contacts: number, devices: number) =>
        `${name}, with ${count(contacts, "contact", "contacts")} and ${
          count(devices, "device", "devices")
        }.`,
      beside:
        "Add this browser, and you use it beside what you have: whatever is said from now on is on all of them, and what was said before can be brought from there.",
      instead:
        "If you lost what you had, replace it: it receives nothing more, this browser becomes the only one of the account, and messages from before do not come along.",
      anew:
        "Either way names, choices and verified marks come with you, and your contacts find you here by themselves.",
      addBeside: "Add this browser",
      replace: "Replace what I had",
      submitting: "Coming back…",
    },
    sealedTitle: "Welcome back",
    sealedLead:
      "An account is stored in this browser, sealed. Enter its access key to open it.",
    sealedOther:
      "Lost the key, or want another account here? Erase what is stored in this browser first.",
    label: "Access key",
    hint: "Eight groups of four. Upper and lower case make no difference.",
    submit: "Log in",
    submitting: "Opening…",
    missing: "Enter your access key.",
    broken: "The account could not be opened. Reload the page and try again.",
    failure: (failure: LogInFailure): string =>
      // Each entry takes exactly the failure of its own reason, which TypeScript can't follow through the index.
      (logInFailures[failure.reason] as (f: LogInFailure) => string)(failure),
  },

  move: {
    elsewhere: "My account is on another server",
    title: "Move your account here",
    lead: (here: string) =>
      `Your account is on another server, and you want it on this one, ${here}. Nothing changes before you have seen what was found.`,
    server: "The server you are on now",
    serverHint: "The address of its page, as it is in your settings there.",
    password: (here: string) => `The password of ${here}`,
    serverMissing: "Enter the address of the server you are on now.",
    look: "Look there",
    looking: "Looking…",
    foundTitle: "Move here?",
    found: (name: string, contacts: number, devices: number) =>
      `${name}, with ${count(contacts, "contact", "contacts")} and ${
        count(devices, "device", "devices")
      }.`,
    follows: (there: string, here: string) => [
      `From now on your server is ${here}. Names, choices and verified marks come with you, and your contacts find you here by themselves, wherever they are.`,
      `This browser becomes the only one of your account. Those at ${there} receive nothing more; what they have stays readable there until you erase it. Messages from before do not come along.`,
      `Your backup is made here and deleted there. What contacts still send to ${there} is fetched from there for three weeks: by this server, whose address ${there} sees, and not yours.`,
    ],
    action: "Move here",
    moving: "Moving…",
    broken:
      "That did not work, and nothing was changed there. Reload the page and try again.",
    failure: (failure: MoveFailure, server: string): string => {
      switch (failure.reason) {
        case "server-malformed":
          return "That is no server's address. It looks like chat.example.org.";
        case "server-is-this":
          return "That is this server. Go back, and log in with your access key alone.";
        case "server-unreachable":
          return `This server can't reach ${server} now. Nothing was changed; try again later.`;
        case "server-refused":
          return `This server does not connect to ${server} for you: it may not go there.`;
        case "server-password":
          return failure.standing === "wanted"
            ? "This server is private. Enter the password that whoever runs it gives you, too."
            : "That is not the password of this server.";
        case "nothing-here":
          return `The key is well-formed, but ${server} has no backup of an account of it. Nothing was changed.`;
        case "damaged":
          return `${server} has a backup of the account, but it is damaged and can't be read. Nothing was changed.`;
        case "unreachable":
          return "This server can't be reached now. Nothing was changed; try again when you are online.";
        default:
          return (logInFailures[failure.reason] as (f: MoveFailure) => string)(
            failure,
          );
      }
    },
    away: {
      title: "Move to another server",
      lead:
        "You move on the page of the server that you want to be on. You need your access key, and the address of this one.",
      steps: (here: string) => [
        "Open the page of the other server, in this browser or another.",
        "Choose “Log in”, and there “My account is on another server”.",
        `Enter ${here} and your access key. You are shown what was found, and decide there.`,
      ],
      then:
        "Your contacts find you there by themselves, and your backup goes there. This browser and your others receive nothing more; what they have stays readable here until you erase it. Export your messages first, if you want to take them along.",
      copy: "Copy this server's address",
    },
  },

  route: {
    unknown: (host: string) => `on ${host}`,
    reached: (host: string) => `on ${host}`,
    unreachable: (host: string) => `waiting for ${host}`,
    refused: (host: string) => `this server does not forward to ${host}`,
    overTor: ", over Tor",
  },

  circuit: {
    title: (name: string) => `A new circuit to ${name}?`,
    changes: (name: string, host: string) =>
      `Where this server reaches ${host} through Tor, what you send to ${name} from now on goes there by another circuit: by other machines of Tor's network. It helps when the way is slow or stuck, and whoever watches part of that network has to find you anew.`,
    stays: (host: string) =>
      `What does not change: ${host} sees that it is for the same person as before. This server sees that you write to somebody there, and when. The way from this browser to this server is not touched, nor the way by which answers come. Without Tor between the two servers nothing changes at all.`,
    action: "New circuit",
    done: "From now on it goes by another circuit, where there is Tor.",
  },

  invite: {
    title: "Invite a friend",
    giveTitle: "Give a code",
    giveLead: (host: string) =>
      `Your friend opens ${host} and enters it there. It works once, for five minutes.`,
    elsewhere: (host: string) =>
      `Who uses another Whisper server enters it there, with @${host} after it.`,
    generate: "Generate code",
    generateAnother: "Generate code",
    generating: "Asking the server…",
    codeLabel: "Invite code",
    expires: "Expires in",
    copy: "Copy",
    cancel: "Cancel this code",
    waiting:
      "Waiting for your friend. You can close this window; the code goes on working.",
    or: "or",
    enterTitle: "Have a code or a link?",
    enter: "Enter a code",
    enterPlaceholder: "7K3QX-9MPRT",
    connect: "Connect",
    connecting: "Connecting safely…",
    codeMissing: "Enter the ten characters your friend sees.",
    cut: linkFailures.malformed,
    "other-link":
      "That is not a Whisper link. One from a friend has #invite= in it.",
    offerFailure: offerFailures,
    joinFailure: joinFailures,
    scan: "Scan a QR code",
    scanner: {
      aim: "Point the camera at the code of your friend's link.",
      cameraFailure: {
        refused:
          "The browser does not let this page use the camera. Allow it in the address bar, or ask for the link itself.",
        none:
          "There is no camera here, or another program uses it. Ask for the link itself.",
      },
    },
  },

  links: {
    title: "Send a link",
    lead:
      "For when you can't talk now. Whoever opens it asks to connect, and you accept or refuse.",
    lifetime: "It works for",
    lifetimes: (hours: number) =>
      hours < 24
        ? count(hours, "hour", "hours")
        : count(hours / 24, "day", "days"),
    uses: "For how many",
    people: (n: number) => count(n, "person", "people"),
    create: "Create link",
    creating: "Making a link…",
    label: "Invite link",
    code: "QR code of the link",
    copy: "Copy link",
    hint:
      "Send it by a way you trust: whoever has it can ask in your friend's place. You see who asks before anything begins.",
    open: "Links that still work",
    left: (left: number, uses: number) =>
      uses === 1 ? "For one person" : `${left} of ${uses} left`,
    until: (until: string) => `Until ${until}`,
    storing: "Being stored at the server…",
    show: "Show",
    showNamed: (until: string) => `Show the link that works until ${until}`,
    revoke: "Revoke",
    revokeNamed: (until: string) => `Revoke the link that works until ${until}`,
    makingFailure: (reason: InvitationFailure) =>
      reason === "offline"
        ? "The server can't be reached. Check your connection, then create a link again."
        : reason === "busy"
        ? "The server asks for patience. Wait a minute, then create a link again."
        : "The server did not take what a link needs. Try again; if it happens again, tell whoever runs this server.",
  },

  link: {
    lookingTitle: "Invitation",
    looking: "Looking whose link this is…",
    foundTitle: (name: string) => `Connect with ${name}?`,
    elsewhere: (host: string) =>
      `Their account is on another server, ${host}, which yours forwards to.`,
    found: (name: string) =>
      `This link is from somebody who calls themselves ${name}. If you ask to connect, they see your name and accept or refuse. Nothing was sent yet.`,
    notNow: "Not now",
    ask: "Ask to connect",
    askedTitle: (name: string) => `You have asked ${name}`,
    asked: (name: string) =>
      `When ${name} accepts, your conversation appears by itself. You can close this page meanwhile.`,
    done: "Done",
    failedTitle: "This link does not work",
    again: "Try again",
    close: "Close",
    failure: linkFailures,
  },

  requests: {
    title: (name: string) => `${name} asks to connect`,
    body: "By a link you gave out. If you did not expect them, refuse.",
    accept: "Accept",
    acceptNamed: (name: string) => `Accept ${name}`,
    accepting: "Accepting…",
    refuse: "Refuse",
    refuseNamed: (name: string) => `Refuse ${name}`,
    keptTitle: (name: string | undefined) =>
      name === undefined
        ? "You have opened an invitation"
        : `${name} has invited you`,
    kept: "You have not asked to connect yet.",
    open: "Open",
    openNamed: (name: string | undefined) =>
      name === undefined
        ? "Open the invitation"
        : `Open the invitation from ${name}`,
    dismissNamed: (name: string | undefined) =>
      name === undefined
        ? "Dismiss the invitation"
        : `Dismiss the invitation from ${name}`,
    waitingTitle: (name: string) => `You have asked ${name} to connect`,
    sending: "It is sent as soon as the server can be reached.",
    waiting: "They have not answered yet.",
    takeBack: "Take back",
    takeBackNamed: (name: string) => `Take back what you have asked ${name}`,
    failedTitle: (name: string) => `No connection with ${name}`,
    acceptFailure: (reason: InvitationFailure) =>
      reason === "withdrawn"
        ? "They have taken their request back, or are gone."
        : reason === "already-connected"
        ? "You already have a conversation with this person."
        : linkFailures[reason],
  },

  devices: {
    title: "Devices",
    own: "This browser",
    unnamed: "Unnamed device",
    neverHeard: "Not heard of yet",
    lastUsed: (day: string) => `Last used: ${day}`,
    longUnused: (day: string) =>
      `Last used: ${day}. Remove it if you do not have it any more.`,
    hint:
      "Log in with your access key in another browser to add it. All of them have what is said from then on, and what was said before can be brought to it.",
    rename: "Rename",
    renameThis: "Rename this browser",
    renameLabel: "Name",
    renameHint: "Your other devices see it, nobody else.",
    renameSubmit: "Save name",
    renameWrong: "A name has 1 to 64 characters.",
    renamed: (name: string) => `This browser is called ${name} now.`,
    remove: "Remove",
    removeNamed: (name: string) => `Remove ${name}`,
    removeLead:
      "It receives nothing more, nothing it says is believed, and it erases what it has once it hears of this. What it had read, whoever has it may have kept.",
    key: "Access key",
    keyMissing: "Enter your access key.",
    removeDevice: "Remove device",
    removing: "Removing…",
    removed: (name: string) => `${name} was removed.`,
    failure: removalFailure,
    news: "Your devices",
    told: {
      added: (name: string) => `${name} was added.`,
      removed: (name: string) => `${name} was removed.`,
    },
    newsHint:
      "If this was not you, somebody has your access key: remove what you don't know in the settings.",
  },

  contact: {
    rename: "Rename",
    mute: "Mute",
    unmute: "Unmute",
    muted: (name: string) => `${name} is muted.`,
    unmuted: (name: string) => `${name} is no longer muted.`,
    archive: "Archive",
    unarchive: "Unarchive",
    archived: (name: string) => `The chat with ${name} is archived.`,
    unarchived: (name: string) =>
      `The chat with ${name} is back among the others.`,
    clear: "Clear chat",
    block: "Block",
    unblock: "Unblock",
    remove: "Delete contact",
    renameTitle: "Rename contact",
    renameLabel: "Name",
    renameHint: (chosen: string) =>
      `Only you see this name. They call themselves ${chosen}; leave it empty to use that.`,
    renameSubmit: "Save",
    renameWrong: "A name has up to 64 characters, at least one to see.",
    renamed: (name: string) => `The contact is now called ${name}.`,
    clearTitle: (name: string) => `Clear the chat with ${name}?`,
    clearBody: (name: string) =>
      `All messages of this chat are deleted from this browser. ${name} keeps their own. This can't be undone.`,
    cleared: "The chat is cleared.",
    blockTitle: (name: string) => `Block ${name}?`,
    blockBody: (name: string) =>
      `${name} can't reach you any more, and is not told why. What you have sent and the server has not taken yet is given up. You can unblock them later; then you meet anew with a code.`,
    blocked: (name: string) => `${name} is blocked.`,
    removeTitle: (name: string) => `Delete ${name}?`,
    removeBody: (name: string) =>
      `The contact and the whole chat are deleted from this browser, and ${name} can't reach you any more. This can't be undone: to write to each other again, you would meet with a new code.`,
    removed: (name: string) => `${name} is deleted.`,
    failed: "The change could not be stored.",
  },

  verification: {
    changedTitle: {
      "new-number": (name: string) =>
        `The safety number with ${name} has changed`,
      "new-device": (name: string) =>
        `${name} uses a device you have not seen before`,
    },
    changedBody: {
      "new-number": (name: string) =>
        `${name} has a new access key, or somebody answers in their name. Compare the number before you write anything private.`,
      "new-device": (name: string) =>
        `If ${name} says it is theirs, all is well. If not, somebody has their access key.`,
    },
    compareNow: "Compare now",
    acknowledge: "Understood",
  },

  editing: {
    title: "Editing message",
    cancel: "Cancel editing",
    copied: "The text was copied.",
    notCopied: "The browser did not let the text be copied.",
    deleteTitle: "Delete this message for everyone?",
    deleteBody: (name: string) =>
      `It is deleted here, on your other devices and with ${name}, as soon as they can be reached. ${name} may have read or kept it already. This can't be undone.`,
    deleted: "The message is deleted.",
  },

  verify: {
    title: (name: string) => `Verify ${name}`,
    lead: (name: string) =>
      `Compare this safety number with the one ${name} sees: side by side, or over a call in which you know their voice. If it is the same, nobody sits between you.`,
    digits: "Safety number",
    code: "QR code of the safety number",
    scan: "Scan their code",
    mark: "Mark as verified",
    markHint: "Are the sixty digits the same on both sides?",
    clear: "Remove the mark",
    clearHint:
      "The mark goes by itself when their keys or devices change, and you are told.",
    verified: (name: string) => `You have verified ${name}.`,
    same: (name: string) => `The numbers are the same. ${name} is verified.`,
    different: (name: string) =>
      `The numbers are different. Make sure that ${name} shows you the chat with you. If they do, somebody may be sitting between you: say nothing private here, and meet anew.`,
    aim: (name: string) =>
      `Point the camera at the code on ${name}'s screen: they open Verify in the chat with you.`,
    camera: "Picture of the camera",
    noNumber: (name: string) =>
      `That is some other code. ${name}'s is under Verify in the chat with you.`,
    stopScanning: "Stop scanning",
    cameraFailure: {
      refused:
        "The browser does not let this page use the camera. Allow it in the address bar, or compare the digits.",
      none:
        "There is no camera here, or another program uses it. Compare the digits instead.",
    },
    failed: "That did not work. Close this window and try again.",
  },

  securing: {
    title: "Locking what is stored",
    body:
      "Everything is being encrypted anew, under a key that was never in the open here. Closing the page does no harm: it goes on when you unlock.",
    progress: "Encrypted anew",
  },

  notices: {
    open: "Open chat",
    storage: {
      title: "This browser may clear Whisper's data",
      more: "What this means",
      body:
        "It did not promise to keep what is stored here. If the disk runs full or the page is unused for long, your account and messages may be deleted. Installing Whisper or adding it to your bookmarks usually helps.",
    },
    update: {
      title: "A newer version is ready",
      body: "Reload to use it. Nothing you have written is lost.",
      apply: "Reload now",
      later: "Later",
    },
  },

  failed: {
    "newer-version": {
      title: "Please reload",
      body:
        "What is stored here was written by a newer version of Whisper. It is untouched. Reload to get the newer version.",
    },
    damaged: {
      title: "The stored data can't be read",
      body:
        "Something in this browser's storage is damaged, and was left as it is. Your account is not lost: log in with your access key in another browser. To use it in this one again, clear the data of this site in the browser's settings and log in; messages that only this browser had are gone then.",
    },
    "storage-unavailable": {
      title: "This browser does not let Whisper store anything",
      body:
        "Private windows and some settings forbid it, and so does a page that came over plain http from anywhere but this computer. Use a normal window, over https.",
    },
  },

  history: {
    offer: "Earlier messages are on your other devices",
    offerBody:
      "This browser has only what was written since it was added, and a little before. Another of your devices can bring the rest: you confirm it there.",
    ask: "Bring the history",
    missed: "Away for a long time",
    missedBody: {
      others:
        "The server keeps what waits for a browser for a few weeks. Something may be missing here, and another of your devices can bring it.",
      alone:
        "The server keeps what waits for a browser for a few weeks. Something may be missing here: ask your friends to send it again.",
    },
    asked: (name: string) => `${name} asks for your history`,
    askedBody: (when: string) =>
      `Asked on ${when}. All messages that are here would be copied there, encrypted. Confirm only if you have just added this device yourself: otherwise refuse, and remove it in the settings.`,
    confirm: "Copy the history",
    refuse: "Refuse",
    stop: "Stop",
    giving: (name: string) => `Copying the history to ${name}`,
    count: (done: number, total: number) =>
      `${done.toLocaleString("en")} of ${total.toLocaleString("en")} ${
        total === 1 ? "message" : "messages"
      }`,
    title: {
      asked: "Waiting for your other device",
      taking: "Bringing the history",
      done: "The history is here",
      refused: "The history was refused",
      stopped: "The history was stopped",
      expired: "No other device answered",
    },
    body: {
      asked: () => "Open Whisper on it, and confirm there.",
      taking: (name: string) =>
        `From ${name}, the newest first. It goes on by itself whenever both are online.`,
      done: (name: string) => `Everything that ${name} had was copied.`,
      refused: () => "Nothing was copied.",
      stopped: () => "What has come is kept. You can ask for the rest.",
      expired: () => "For two weeks. You can ask again.",
    },
  },

  relayTrouble: {
    clockOff: (ms: number) => {
      const hours = Math.round(Math.abs(ms) / 3_600_000);
      const apart = hours < 48
        ? count(hours, "hour", "hours")
        : count(Math.round(hours / 24), "day", "days");
      return `This device's clock is ${apart} ${
        ms > 0 ? "ahead of" : "behind"
      } the server's. If it is wrong, set it right: what you write carries its time.`;
    },
    otherRelay:
      "This is not the server your account was made on, so nothing is sent to it. Tell whoever runs it.",
    version:
      "The server and this page are of different versions. Reload the page; if that changes nothing, tell whoever runs the server.",
  },

  parted: {
    blocked: (name: string) =>
      `You have blocked ${name}. They can't reach you.`,
    unblocked: (name: string) =>
      `${name} is not blocked any more. To write to each other, meet anew with a code.`,
    lost: (name: string) =>
      `${name} can't be reached here any more. To write to each other, meet anew with a code or link.`,
    meetAnew: "Meet anew",
  },

  deviceLeft: {
    title: (name: string) => `${name} removed a device`,
    body:
      "What you write from now on goes to the others only, and that one can reach you no more.",
  },

  removed: {
    title: "This browser was removed",
    lead:
      "Another device of your account has removed it. Everything that was stored here is erased. With your access key you can add it again.",
  },

  settings: {
    title: "Settings",
    name: "Your name",
    nameHint: "What people you connect with see.",
    appearance: "Appearance",
    themes: { dark: "Dark", light: "Light", system: "Like the device" },
    receipts: "Receipts",
    deliveryReceipts: "Tell when messages arrive",
    deliveryHint: "Two ticks for the other person, encrypted like any message.",
    readReceipts: "Tell when messages are read",
    readHint:
      "Two coloured ticks for the other person, encrypted like any message.",
    device: "This browser",
    stored: "The browser has promised to keep what Whisper stores.",
    data: "Your data",
    dataHint:
      "Your contacts and messages as one file that other programs can read.",
    exportAsk: "Export…",
    exportTitle: "Export without encryption?",
    exportBody:
      "The file is not encrypted: whoever gets hold of it can read all your messages and see whom you know. It is made in this browser and goes to your downloads, nowhere else. It holds no keys, so nobody can write in your name with it, and it can't bring your account back.",
    exportSubmit: "Export",
    exporting: "Collecting your messages…",
    exportFailed: "The export did not work. Nothing was saved.",
    exportFile: (day: string) => `whisper-export-${day}.json`,
    account: "Account",
    backup: "Backup",
    backupStates: {
      waiting: "The last change is still to be stored at this server.",
      saved:
        "Contacts, names and choices are stored at this server, sealed: only your access key opens them. Messages are not among them.",
      "no-keys":
        "There is none yet. Log out and in again with your access key: then it begins.",
      "too-large":
        "There is more to keep than it can hold. It stays as it was.",
      gone:
        "This server does not have it any more. If you moved to another server, this browser is none of your account's, and keeps what it has. Otherwise log out and in again with your access key: then it is made anew.",
      replaced:
        "Another browser has taken it over. What changes here is not stored any more.",
      "newer-version":
        "A newer version of this program has written it. Reload this page to get that version.",
      refused: "This server does not take it.",
    },
    backupUse: "In another browser the access key brings them back.",
    changeKey: "Change access key…",
    changeKeyHint: "For when somebody may have seen your access key.",
    backupWentBack:
      "This server once gave out an older one than was stored, unless a contact says so who lies. What you have here was stored anew; but a server that does this by itself, or on purpose, is not to be relied on.",
    standings: {
      behind:
        "A contact knows a later list of your devices than this one is in: this server gave out an old backup, or you have logged in elsewhere since. Contacts do not hear this browser. Erase what is stored here and log in again.",
      forked:
        "A contact knows another list of your devices than this one is in: this server gave out an old backup, or somebody else has your access key. Contacts do not hear this browser. Erase what is stored here and log in again.",
    },
    leftOut: {
      standing: "Contacts do not hear this browser",
      gone: "The backup is gone from this server",
      replaced: "Another browser has taken over",
    },
    server: {
      title: "Server",
      host: (host: string) =>
        `This browser talks to ${host}, and to nobody else.`,
      byOnion:
        "You came by its onion service: it does not learn your address. For another circuit to it, use Tor Browser's own button, “New Tor circuit for this site”: that changes the way from here to this server, not the ways from this server to others.",
      onion:
        "The same server for Tor Browser, by which it does not learn where you are:",
      copy: "Copy the address",
      left: (host: string) =>
        `You moved here from ${host}. What contacts still send there is read for three weeks, and then deleted there.`,
      waitingFor: (host: string) =>
        `You moved here from ${host}: waiting for ${host}, where something of yours still is.`,
      move: "Move to another server",
    },
    logOut: "Log out",
    logOutHint:
      "Seals what is stored here. Nothing is deleted, and the browser may keep traces of the key in its files for a while.",
    logOutTitle: "Log out?",
    logOutBody:
      "From then on only your access key opens this account, in this browser; a lock that is set here is gone. Make sure you have it: without it your conversations are lost, and nobody can give you another one.",
    logOutFailed: "Logging out did not work. Nothing was changed.",
    failed: "The change could not be stored.",
  },

  lock: {
    kinds: {
      none: {
        title: "No lock is set",
        body:
          "Everything stored here is encrypted, but the key lies in this same browser: whoever can use or copy this browser profile can read your messages.",
      },
      passphrase: {
        title: "Locked with a passphrase",
        body:
          "Once locked, what is stored here opens only with your passphrase, or with your access key.",
      },
      passkey: {
        title: "Locked with a passkey",
        body:
          "Once locked, what is stored here opens only with your passkey, or with your access key.",
      },
    },
    passphraseOver: {
      none: "Set a passphrase",
      passphrase: "Change the passphrase",
      passkey: "Use a passphrase instead",
    },
    usePasskey: "Use a passkey",
    passkeyInstead: "Use a passkey instead",
    remove: "Remove the lock",
    after: "Lock after",
    afterHint:
      "Closing the page locks it too. While it is locked, nothing is received or shown.",
    minutes: (n: number) =>
      n === 0
        ? "Only when I lock it"
        : n === 60
        ? "One hour without use"
        : `${count(n, "minute", "minutes")} without use`,
    eraseAfter: "Erase after wrong passphrases",
    eraseAfterHint:
      "Deletes this browser's account, contacts and messages. It does not stop someone who has copied the disk.",
    tries: (n: number) => n === 0 ? "Never" : `${n} in a row`,
    tasks: {
      passphrase: {
        title: "Set a passphrase",
        lead:
          "Several words that only you know. If you forget them, your access key still opens the account.",
        act: "Set passphrase",
      },
      passkey: {
        title: "Use a passkey",
        lead:
          "Your device or security key opens the lock, with your finger, face or PIN. If you lose it, your access key still opens the account.",
        act: "Use a passkey",
      },
      remove: {
        title: "Remove the lock?",
        lead:
          "From then on whoever can use or copy this browser profile can read your messages.",
        act: "Remove the lock",
      },
    },
    current: "Present passphrase",
    next: "New passphrase",
    nextHint: "At least eight characters. Four or more random words are good.",
    again: "New passphrase again",
    show: (label: string) => `Show: ${label}`,
    hide: (label: string) => `Hide: ${label}`,
    busy: "A moment…",
    different: "The two new passphrases are not the same.",
    refused: {
      wrong: "That is not what opens the lock now. Nothing was changed.",
      short: "A passphrase has at least eight characters.",
      "no-passkey":
        "The passkey did not answer, or this kind can't be used as a lock. Nothing was changed.",
      "not-stored": "There was no room to store this. Nothing was changed.",
    },
    done: {
      passphrase: "The passphrase is set.",
      passkey: "The passkey is set.",
      remove: "The lock is removed.",
    },
  },

  locked: {
    title: "Locked",
    lead: {
      passphrase: "Enter the passphrase of this browser.",
      passkey: "Open with your device or security key.",
    },
    passphrase: "Passphrase",
    unlock: "Unlock",
    unlocking: "Opening…",
    missing: "Enter your passphrase.",
    wrong: "That is not the passphrase.",
    noPasskey: "The passkey did not answer. Try again, or use your access key.",
    broken: "It could not be opened. Reload the page and try again.",
    triesLeft: (n: number) =>
      `${
        count(n, "try", "tries")
      } left, then everything stored here is erased.`,
    accessKey: "Use the access key",
  },

  erase: {
    open: "Erase everything",
    title: "Erase everything here?",
    body:
      "This browser's account, contacts and messages are deleted. It can't be undone, and nobody is told.",
    remains:
      "What the people you talk with have stays with them, your encrypted backup stays on the server for your access key to open, and the browser may keep traces in its files until it rewrites them.",
    confirm: "Erase everything",
    failed: "Erasing did not work. Try again, or clear this site's data.",
  },
};

/** The shape a translation fills. */
export type TextOnDemand = typeof enOnDemand;
