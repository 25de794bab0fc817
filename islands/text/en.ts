/** The words of what is there at once, in English. A translation is another object of this shape. */
import type { DeliveryState } from "../../lib/client/view.ts";
import { count } from "./count.ts";

const states: Record<DeliveryState, string> = {
  sending: "sending",
  sent: "sent",
  delivered: "delivered",
  read: "read",
  failed: "failed",
};

export const en = {
  language: "en",
  app: "Whisper",

  common: {
    back: "Back",
    cancel: "Cancel",
    close: "Close",
    copied: "Copied",
    copyRefused: "Copying was refused by the browser",
    dismiss: "Dismiss",
    reload: "Reload",
    undo: "Undo",
  },

  landing: {
    title: "Say it quietly.",
    lead:
      "A private messenger that runs in this page. No phone number, no e-mail address, nothing to install.",
    cleared:
      "The account that was stored here is gone: the browser has cleared this site's data. Log in with your access key, and your name and contacts come back.",
    invited:
      "A friend has invited you. Create an account, or log in: then you see who it is.",
    create: "Create new account",
    logIn: "Log in",
    facts: [
      {
        title: "Only you two can read it",
        body:
          "Messages are encrypted in your browser with the Signal Protocol, and stay so until your friend's browser opens them.",
      },
      {
        title: "The server has no accounts",
        body:
          "It passes on sealed envelopes of equal size under random names. It never learns what you are called or whom you know by name.",
      },
      {
        title: "Meet with a short code",
        body:
          "Ten characters, read out over the phone or across a table. A code works once and expires after five minutes.",
      },
    ],
    sketch: {
      you: "See you at eight?",
      friend: "I'll be there. Key under the mat?",
      server: "what the server sees",
    },
  },

  list: {
    title: "Chats",
    label: "Conversations",
    invite: "Invite a friend",
    settings: "Settings",
    lockNow: "Lock now",
    draft: "Draft:",
    you: "You:",
    haveCode: "I have a code",
    unread: (n: number) => count(n, "unread message", "unread messages"),
    met: "Connected. Say hello!",
    unknownBody: "Needs a newer version",
    blocked: "Blocked",
    muted: "muted",
    archived: "Archived",
    emptyTitle: "No one here yet",
    emptyBody:
      "Get a code for your friend, or enter the one they gave you. It takes a few seconds.",
  },

  met: {
    connected: (name: string) => `You are connected with ${name}.`,
    open: "Open chat",
  },

  welcomePane: {
    title: (name: string) => `Hello, ${name}`,
    steps: [
      "Choose “Invite a friend” and generate a code.",
      "Tell it to your friend, who opens this page and enters it.",
      "Your first conversation opens by itself.",
    ],
    choose: "Choose a conversation to read and write.",
    sealed: "End-to-end encrypted. Only the two of you hold the keys.",
  },

  conversation: {
    label: (name: string) => `Conversation with ${name}`,
    messages: "Messages",
    back: "Back to conversations",
    loadingOlder: "Loading older messages",
    beginning: (name: string) =>
      `Messages with ${name} are end-to-end encrypted. Only the two of you can read them.`,
    firstMessage: "Nothing said yet. Write the first message below.",
    unread: (n: number) => count(n, "unread message", "unread messages"),
    jump: "Jump to newest",
    newer: (n: number) => count(n, "new message", "new messages"),
    announce: (name: string, words: string) => `${name}: ${words}`,
    announceMany: (name: string, n: number) =>
      `${name}: ${count(n, "new message", "new messages")}`,
    gone: "This conversation is no longer here.",
  },

  contact: {
    options: "Options",
    optionsFor: (name: string) => `Options for ${name}`,
    rename: "Rename",
    renameTitle: "Rename contact",
    renameLabel: "Name",
    renameHint: (chosen: string) =>
      `Only you see this name. They call themselves ${chosen}; leave it empty to use that.`,
    renameSubmit: "Save",
    renameWrong: "A name has up to 64 characters, at least one to see.",
    renamed: (name: string) => `The contact is now called ${name}.`,
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
    clearTitle: (name: string) => `Clear the chat with ${name}?`,
    clearBody: (name: string) =>
      `All messages of this chat are deleted from this browser. ${name} keeps their own. This can't be undone.`,
    cleared: "The chat is cleared.",
    block: "Block",
    blockTitle: (name: string) => `Block ${name}?`,
    blockBody: (name: string) =>
      `${name} can't reach you any more, and is not told. What you have sent and the server has not taken yet is given up. You can unblock them later; then you meet anew with a code.`,
    blocked: (name: string) => `${name} is blocked.`,
    unblock: "Unblock",
    isBlocked: (name: string) =>
      `You have blocked ${name}. They can't reach you.`,
    isParted: (name: string) =>
      `${name} is not blocked any more. To write to each other, meet anew with a code.`,
    meetAnew: "Meet anew",
    remove: "Delete contact",
    removeTitle: (name: string) => `Delete ${name}?`,
    removeBody: (name: string) =>
      `The contact and the whole chat are deleted from this browser, and ${name} can't reach you any more. This can't be undone: to write to each other again, you would meet with a new code.`,
    removed: (name: string) => `${name} is deleted.`,
    failed: "The change could not be stored.",
  },

  verify: {
    button: "Verify",
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
    verifiedMark: "Verified",
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

  message: {
    states,
    own: (words: string, time: string, state: string) =>
      `You: ${words}, ${time}, ${state}`,
    theirs: (name: string, words: string, time: string) =>
      `${name}: ${words}, ${time}`,
    unknown: "This message needs a newer version of Whisper.",
    retry: "Try again",
    failed: "Not sent.",
  },

  composer: {
    label: "Message",
    placeholder: "Message",
    send: "Send",
    refused:
      "This message could not be stored. It is still here: try again, or shorten it.",
    tooLong: "This is too long for one message. Send it in parts.",
  },

  connection: {
    wantsPassword: "This server is private.",
    otherPassword: "This server has a new password.",
    connecting: "Connecting…",
    waiting: "The server can't be reached.",
    waitingKept: "What you write is kept and sent later.",
    nextTry: (seconds: number) => `Next try in ${seconds} s`,
    tryNow: "Try now",
    offline:
      "You are offline. What you write is kept and sent when you are back.",
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

  screens: {
    starting: "Opening your conversations…",
    securing: {
      title: "Locking what is stored",
      body:
        "Everything is being encrypted anew, under a key that was never in the open here. Closing the page does no harm: it goes on when you unlock.",
      progress: "Encrypted anew",
    },
    elsewhere: {
      title: "Whisper is open in another tab",
      body:
        "Only one tab can be active at a time, so that no message is handled twice.",
      action: "Use here",
    },
    storageFull: {
      title: "There is no room left",
      body:
        "The disk of this device, or the part the browser grants this page, is full. Nothing is lost, but nothing new can be stored. Free some space, then try again.",
      action: "Try again",
    },
    newerVersion: {
      title: "Please reload",
      body:
        "What is stored here was written by a newer version of Whisper. It is untouched. Reload to get the newer version.",
    },
    damaged: {
      title: "The stored data can't be read",
      body:
        "Something in this browser's storage is damaged. Whisper left it as it is. If you have a backup of the browser profile, restore it; otherwise tell whoever runs this server before clearing anything.",
    },
    unavailable: {
      title: "This browser does not let Whisper store anything",
      body:
        "Private windows and some settings forbid it, and so does a page that came over plain http from anywhere but this computer. Use a normal window, over https.",
    },
    notLoaded: {
      title: "Whisper could not start",
      part: "This could not be opened",
      body: "Part of the program did not load. Check your connection.",
    },
  },
};

/** The shape a translation fills. */
export type Text = typeof en;
