import Chat from "../islands/chat.tsx";

export const title = "Chat";

export default function ChatPage() {
  return <Chat />;
}
