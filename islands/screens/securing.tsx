/** While everything is written anew under a lock just set. */
import "./securing.css";
import { textOnDemand } from "../text/on_demand.ts";
import { Card } from "../welcome/card.tsx";

const words = textOnDemand.securing;

export function Securing({ share }: { share: number }) {
  return (
    <Card title={words.title} lead={words.body} takeFocus>
      <div class="securing">
        <progress aria-label={words.progress} max={1} value={share} />
      </div>
    </Card>
  );
}
