import App from "../islands/app.tsx";

export default function Home() {
  return <App page="landing" />;
}
