import App from "../islands/app.tsx";

export const title = "Chats";

export default function ChatPage() {
  return <App page="messenger" />;
}
