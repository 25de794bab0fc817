/** While everything is written anew under a lock just set. */
import "./securing.css";
import { text } from "../text/mod.ts";
import { Card } from "../welcome/card.tsx";

const words = text.screens.securing;

export function Securing({ share }: { share: number }) {
  return (
    <Card title={words.title} lead={words.body} takeFocus>
      <div class="securing">
        <progress aria-label={words.progress} max={1} value={share} />
      </div>
    </Card>
  );
}
