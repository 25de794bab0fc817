import Landing from "../islands/landing.tsx";

export default function Home() {
  return <Landing />;
}
