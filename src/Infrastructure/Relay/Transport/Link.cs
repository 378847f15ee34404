using System.Buffers;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace SparkGateway.Infrastructure.Relay.Transport;

/// <summary>A byte stream to a peer. One read and one write at a time. Errors come as SocketException or IOException.</summary>
internal abstract class Link : IDisposable
{
    /// <summary>Waits for bytes; 0 is the end of the stream. They are in <see cref="Received"/> until <see cref="EndRead"/>.</summary>
    public abstract ValueTask<int> ReadAsync();

    public abstract ReadOnlySpan<byte> Received(int count);

    public virtual void EndRead()
    {
    }

    /// <summary>The read was as large as its buffer.</summary>
    public virtual bool MayHaveMore(int count) => false;

    /// <summary>Reads what is there without waiting. 0: nothing now, or only ReadAsync can tell.</summary>
    public virtual int ReadMore(Span<byte> buffer) => 0;

    public abstract ValueTask<int> WriteAsync(ReadOnlyMemory<byte> bytes);

    public abstract void Dispose();
}

/// <summary>Plain TCP. While it waits it holds a small buffer only, which most RPCs fit; larger reads go to the thread's own buffer.</summary>
internal sealed class SocketLink(Socket socket) : Link
{
    private const int WaitingBytes = 512;

    private readonly byte[] waiting = GC.AllocateUninitializedArray<byte>(WaitingBytes);

    public override ValueTask<int> ReadAsync() => socket.ReceiveAsync(waiting.AsMemory(), SocketFlags.None, CancellationToken.None);

    public override ReadOnlySpan<byte> Received(int count) => waiting.AsSpan(0, count);

    public override bool MayHaveMore(int count) => count == WaitingBytes;

    public override int ReadMore(Span<byte> buffer)
    {
        var count = socket.Receive(buffer, SocketFlags.None, out var error);
        return error == SocketError.Success ? count : 0;
    }

    /// <summary>What the socket takes at once costs no waiting object: most connections never need one.</summary>
    public override ValueTask<int> WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        var count = socket.Send(bytes.Span, SocketFlags.None, out var error);
        return error == SocketError.Success ? ValueTask.FromResult(count) : socket.SendAsync(bytes, SocketFlags.None, CancellationToken.None);
    }

    public override void Dispose() => socket.Dispose();
}

/// <summary>TLS. A read of nothing waits first, so that an idle connection holds no buffer.</summary>
internal sealed class TlsLink(SslStream stream) : Link
{
    private const int ReadBytes = 16 * 1024;

    private byte[]? buffer;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> ReadAsync()
    {
        _ = await stream.ReadAsync(Memory<byte>.Empty);
        buffer = ArrayPool<byte>.Shared.Rent(ReadBytes);
        return await stream.ReadAsync(buffer);
    }

    public override ReadOnlySpan<byte> Received(int count) => buffer.AsSpan(0, count);

    public override void EndRead()
    {
        if (buffer is not null) ArrayPool<byte>.Shared.Return(buffer);
        buffer = null;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        await stream.WriteAsync(bytes);
        return bytes.Length;
    }

    public override void Dispose() => stream.Dispose();
}
