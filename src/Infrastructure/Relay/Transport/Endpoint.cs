using System.Net.Sockets;
using System.Runtime.CompilerServices;
using SparkGateway.Infrastructure.Relay.Calls;

#pragma warning disable VSTHRD002, CA2012 // The awaiters are kept in fields, so that waiting allocates nothing; GetResult is called on completed ones only.

namespace SparkGateway.Infrastructure.Relay.Transport;

/// <summary>
/// One socket of a loop: feeds what it reads to its state machine and sends the state machine's output. All of it runs on
/// the loop; only the waiting is elsewhere.
/// </summary>
internal sealed class Endpoint
{
    /// <summary>One event reads no more than this, so that a fast peer leaves room for the loop's other sockets. Bytes.</summary>
    private const int TurnBytes = 256 * 1024;

    /// <summary>One segment of output: a full read becomes one write.</summary>
    private const int BulkBytes = 64 * 1024;

    [ThreadStatic]
    private static byte[]? bulk;

    private readonly SerialLoop loop;
    private readonly Http2Connection connection;
    private readonly Link link;
    private readonly Action<string> lost;
    private readonly Completion readDone;
    private Completion? writeDone;
    private ValueTaskAwaiter<int> waiting;
    private ValueTaskAwaiter<int> writing;
    private bool isWriting;
    private bool isWaiting;
    private bool closesWhenSent;
    private bool isClosed;
    private string? closedWhy;

    /// <param name="lost">Told once, on the loop, when the socket has ended or failed by itself, or has been closed as asked.</param>
    public Endpoint(SerialLoop loop, Http2Connection connection, Link link, Action<string> lost)
    {
        this.loop = loop;
        this.connection = connection;
        this.link = link;
        this.lost = lost;
        readDone = new Completion(this, static endpoint => endpoint.Read());
    }

    public bool IsClosed => isClosed;

    /// <summary>Bytes that the socket has taken.</summary>
    public long SentBytes { get; private set; }

    public bool HasOutput => !connection.Output.IsEmpty && !isWriting && !isClosed;

    /// <summary>Begins the first read; on the loop.</summary>
    public void Start() => Wait();

    /// <summary>Sends as much as the socket takes now; the rest when it takes more.</summary>
    public void Flush()
    {
        while (HasOutput)
        {
            try
            {
                writing = link.WriteAsync(connection.Output.Next).GetAwaiter();
            }
            catch (Exception e) when (IsLinkFault(e))
            {
                Close(Words(e));
                return;
            }

            isWriting = true;
            if (!writing.IsCompleted)
            {
                // Only a peer that reads slower than it is sent to needs one.
                writeDone ??= new Completion(this, static endpoint => endpoint.Sent());
                writing.UnsafeOnCompleted(writeDone.Signal);
                return;
            }

            if (!TakeWritten()) return;
        }

        if (closesWhenSent && !isWriting) Close("closed");
    }

    /// <summary>Closes the socket when all output has been sent.</summary>
    public void CloseWhenSent()
    {
        closesWhenSent = true;
        Flush();
    }

    public void Close(string why)
    {
        if (isClosed) return;
        isClosed = true;
        closedWhy = why;
        link.Dispose();

        // A write under way still reads the output's buffers: nobody may reuse them before it has failed.
        if (!isWriting) lost(why);
    }

    private void Sent()
    {
        if (TakeWritten()) Flush();
    }

    private bool TakeWritten()
    {
        isWriting = false;
        try
        {
            var count = writing.GetResult();
            if (!isClosed)
            {
                connection.Output.Advance(count);
                SentBytes += count;
                return true;
            }
        }
        catch (Exception e) when (IsLinkFault(e))
        {
            closedWhy ??= Words(e);
        }

        if (isClosed) lost(closedWhy!);
        else Close(closedWhy!);
        return false;
    }

    private void Wait()
    {
        if (isClosed) return;
        try
        {
            waiting = link.WaitAsync().GetAwaiter();
        }
        catch (Exception e) when (IsLinkFault(e))
        {
            Close(Words(e));
            return;
        }

        isWaiting = true;
        if (waiting.IsCompleted) loop.Post(readDone);
        else waiting.UnsafeOnCompleted(readDone.Signal);
    }

    private void Read()
    {
        if (!isWaiting) return;
        isWaiting = false;
        try
        {
            waiting.GetResult();
            if (isClosed) return;
            ReadTurn();
        }
        catch (Exception e) when (IsLinkFault(e))
        {
            Close(Words(e));
            return;
        }

        Wait();
    }

    private void ReadTurn()
    {
        bulk ??= GC.AllocateUninitializedArray<byte>(BulkBytes);
        for (var turn = 0; turn < TurnBytes && !isClosed;)
        {
            var count = link.Read(bulk);
            if (count == Link.NothingNow) return;
            if (count == 0)
            {
                Close("the peer closed it");
                return;
            }

            connection.Receive(bulk.AsSpan(0, count));
            turn += count;
            if (count < BulkBytes) return;
        }
    }

    private static bool IsLinkFault(Exception e) => e is SocketException or IOException or ObjectDisposedException or OperationCanceledException;

    private static string Words(Exception e) => e is SocketException socket ? socket.SocketErrorCode.ToString() : e.InnerException is SocketException inner ? inner.SocketErrorCode.ToString() : "the connection broke";

    private sealed class Completion : LoopItem
    {
        private readonly Endpoint endpoint;
        private readonly Action<Endpoint> run;

        public Completion(Endpoint endpoint, Action<Endpoint> run)
        {
            this.endpoint = endpoint;
            this.run = run;
            Signal = Post;
        }

        /// <summary>Made once, so that waiting allocates nothing.</summary>
        public Action Signal { get; }

        public override void Run() => run(endpoint);

        private void Post() => endpoint.loop.Post(this);
    }
}
