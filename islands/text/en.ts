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
    dismiss: "Dismiss",
    reload: "Reload",
    undo: "Undo",
  },

  landing: {
    title: "Say it quietly.",
    lead:
      "A private messenger that runs in this page. No phone number, no e-mail address, nothing to install.",
    cleared:
      "The account that was stored here is gone: the browser has cleared this site's data. Log in with your access key: name and contacts come back.",
    invited:
      "A friend has invited you. Create an account, or log in, to see who it is. After a reload, open the link again.",
    create: "Create new account",
    logIn: "Log in",
    facts: [
      {
        title: "Only you two can read it",
        body:
          "Messages are encrypted in your browser with the Signal Protocol, until your friend's browser opens them.",
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
    emptyBody: "Get a code for your friend, or enter the one they gave you.",
  },

  met: {
    connected: (name: string) => `You are connected with ${name}.`,
  },

  welcomePane: {
    title: (name: string) => `Hello, ${name}`,
    steps: [
      "Choose “Invite a friend” and generate a code.",
      "Tell it to your friend, who opens this page and enters it.",
      "Then your first conversation begins.",
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
    jump: "Jump to newest",
    newer: (n: number) => count(n, "new message", "new messages"),
    announce: (name: string, words: string) => `${name}: ${words}`,
    announceMany: (name: string, n: number) =>
      `${name}: ${count(n, "new message", "new messages")}`,
  },

  contact: {
    options: "Options",
    optionsFor: (name: string) => `Options for ${name}`,
  },

  verify: {
    button: "Verify",
    verifiedMark: "Verified",
  },

  message: {
    states,
    own: (words: string, time: string, state: string) =>
      `You: ${words}, ${time}, ${state}`,
    theirs: (name: string, words: string, time: string) =>
      `${name}: ${words}, ${time}`,
    ownDeleted: (words: string, time: string) => `${words}, ${time}`,
    whenEdited: (time: string) => `${time}, edited`,
    unknown: "This message needs a newer version of Whisper.",
    edited: "edited",
    deleted: "This message was deleted",
    youDeleted: "You deleted this message",
    options: "Message options",
    edit: "Edit",
    delete: "Delete for everyone",
    copy: "Copy text",
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
    offline: "You are offline. What you write is kept and sent later.",
  },

  screens: {
    starting: "Opening your conversations…",
    elsewhere: {
      title: "Whisper was opened in another tab",
      body: "Only one tab can be active at a time.",
      action: "Use here",
    },
    storageFull: {
      title: "There is no room left",
      body:
        "The disk, or this page's part of it, is full. Nothing is lost. Free some space and try again.",
      action: "Try again",
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
