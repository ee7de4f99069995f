import type { OwnProps } from '@/components/ownKinds'

interface Order {
  readonly items: readonly { readonly name: string; readonly count: number }[]
  readonly won: number
}

/** Whether a message says an order: it was made by somebody else's page. */
function isOrder(body: unknown): body is Order {
  const { items, won } = (body ?? {}) as Partial<Order>
  return typeof won === 'number' && Array.isArray(items) && items.every((item) => typeof item?.name === 'string')
}

/** An order, as both see it. */
export default function OrderCard({ body, preview }: OwnProps) {
  if (!isOrder(body)) return <p>{preview}</p>
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-3" data-order>
      {body.items.map(({ name, count }) => (
        <div key={name} className="contents">
          <dt>
            <bdi>{name}</bdi>
          </dt>
          <dd className="text-right">{Number(count)}개</dd>
        </div>
      ))}
      <dt className="font-semibold">합계</dt>
      <dd className="text-right font-semibold">{body.won.toLocaleString('ko')}원</dd>
    </dl>
  )
}
