namespace SparkGateway.Infrastructure.Relay.Transport;

/// <summary>Something that happened, to be dealt with on its loop. An item is posted again only after it has run.</summary>
internal abstract class LoopItem
{
    internal LoopItem? Next { get; set; }

    public abstract void Run();
}

/// <summary>
/// Runs the events of one client connection and its driver connections one at a time, on whatever thread brings one:
/// no lock, no thread of its own, no hop. An event that comes while another runs is left for the thread that runs it.
/// </summary>
internal abstract class SerialLoop : IThreadPoolWorkItem
{
    /// <summary>So many batches, then the loop goes on in the thread pool: the thread that brought the first waits for other sockets too.</summary>
    private const int BatchesPerTurn = 8;

    private LoopItem? posted;
    private int isRunning;

    public void Post(LoopItem item)
    {
        LoopItem? head;
        do
        {
            head = Volatile.Read(ref posted);
            item.Next = head;
        }
        while (Interlocked.CompareExchange(ref posted, item, head) != head);

        if (Interlocked.CompareExchange(ref isRunning, 1, 0) == 0) Drain();
    }

    /// <summary>Before each batch of events: look at the clock.</summary>
    protected abstract void BeforeBatch();

    /// <summary>After each batch of events: send what they have produced.</summary>
    protected abstract void AfterBatch();

    /// <summary>An event threw: a bug.</summary>
    protected abstract void Failed(Exception bug);

    void IThreadPoolWorkItem.Execute() => Drain();

    private void Drain()
    {
        var batches = 0;
        do
        {
            while (Interlocked.Exchange(ref posted, null) is { } newest)
            {
                Run(Reverse(newest));
                if (++batches < BatchesPerTurn) continue;
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
                return;
            }

            // A full fence: either the poster sees that nobody runs, or this thread sees what was posted.
            Interlocked.Exchange(ref isRunning, 0);
        }
        while (Volatile.Read(ref posted) is not null && Interlocked.CompareExchange(ref isRunning, 1, 0) == 0);
    }

    private void Run(LoopItem? item)
    {
        try
        {
            BeforeBatch();
            while (item is not null)
            {
                var next = item.Next;
                item.Next = null;
                item.Run();
                item = next;
            }

            AfterBatch();
        }
#pragma warning disable CA1031 // A bug in one connection must end that connection, not the process.
        catch (Exception bug)
#pragma warning restore CA1031
        {
            Failed(bug);
        }
    }

    private static LoopItem? Reverse(LoopItem newest)
    {
        LoopItem? oldest = null;
        for (var item = newest; item is not null;)
        {
            var next = item.Next;
            item.Next = oldest;
            oldest = item;
            item = next;
        }

        return oldest;
    }
}
