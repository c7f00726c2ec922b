/** What is shown when a part of the page broke: words, and a way on. */
import { Component, type ReactNode } from "react";
import { Banner } from "./parts/Banner";
import { Button } from "./parts/Button";
import { Page } from "./parts/Page";
import { words } from "./parts/task";

interface State {
  broke: string | null;
}

export class ErrorBoundary extends Component<{ children: ReactNode }, State> {
  override state: State = { broke: null };

  static getDerivedStateFromError(error: unknown): State {
    return { broke: words(error) };
  }

  override render() {
    if (this.state.broke === null) return this.props.children;
    return (
      <Page title="This page broke" narrow>
        <Banner
          tone="danger"
          title="Alerts may not show or sound here until you load the page again."
          actions={
            <Button icon="refresh" onClick={() => window.location.reload()}>
              Load the page again
            </Button>
          }
        >
          <p>Nothing that was sent is lost. If this comes again, show your admin these words:</p>
          <p className="mono">{this.state.broke}</p>
        </Banner>
      </Page>
    );
  }
}
