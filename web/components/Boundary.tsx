import { Component, type ReactNode } from 'react'

interface Props {
  children: ReactNode
  /** What is shown instead after a fault; `retry` makes the children anew. */
  failed(retry: () => void): ReactNode
}

/** Keeps a fault of what is in it from the rest of the page. What was written is in the outbox, and not lost. */
export class Boundary extends Component<Props, { hasFailed: boolean }> {
  override state = { hasFailed: false }

  static getDerivedStateFromError() {
    return { hasFailed: true }
  }

  override render(): ReactNode {
    return this.state.hasFailed ? this.props.failed(() => this.setState({ hasFailed: false })) : this.props.children
  }
}
