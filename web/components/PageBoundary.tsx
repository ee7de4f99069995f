import { Component, type ReactNode } from 'react'
import { Problem } from './Problem'

/** Shows a fault of the page itself. What was written is in the outbox, and not lost. */
export class PageBoundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false }

  static getDerivedStateFromError() {
    return { failed: true }
  }

  override render(): ReactNode {
    return this.state.failed ? <Problem kind="page" onRetry={() => location.reload()} /> : this.props.children
  }
}
