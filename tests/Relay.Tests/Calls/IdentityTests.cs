using System.Text;
using SparkGateway.Domain;
using SparkGateway.Features.RelayStream;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Relay.Calls;
using SparkGateway.Testing.Http2;

namespace SparkGateway.Relay.Tests.Calls;

public sealed class IdentityTests
{
    private const string Ana = RelayBench.User;
    private const string Mallory = "mallory";
    private const string Session = RelayBench.ClientSession;
    private const int InvalidArgument = 3;
    private const int ResourceExhausted = 8;
    private const int Unimplemented = 12;
    private const int Unauthenticated = 16;

    [Fact]
    public void Call_GoesByTheNamedUser_WhateverItsMessageSays()
    {
        var bench = Open();
        bench.Bind();
        var message = Message(Session, Mallory);

        Send(bench, 1, Named(Ana), message, isEnd: true);

        var frames = Frames(Assert.Single(bench.Connected));
        Assert.Equal(EditedMessages.Expected(message, Session, Ana), Data(frames));
        Assert.DoesNotContain(RelayBench.Identity, Encoding.Latin1.GetString(frames.Single(f => f.Type == FrameType.Headers).Payload.Span), StringComparison.Ordinal);
        AssertNothingHeld(bench);
    }

    [Fact]
    public void SessionId_OfAnotherUser_IsAnotherClientSession()
    {
        var bench = Open();
        bench.Bind();

        Send(bench, 1, Named(Mallory), Message(Session, Ana), isEnd: true);

        Assert.Empty(bench.Connected);
        var request = Assert.Single(bench.Admissions).Request;
        Assert.Equal((Mallory, Session, Mallory), (request.Key.UserId, request.Key.ClientSessionId, request.Caller.User));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(true, "")]
    [InlineData(true, "ana", "ana")]
    [InlineData(true, "ana", "mallory")]
    [InlineData(true, "a\tb")]
    [InlineData(true, "caf\u00e9")]
    [InlineData(false, "ana")]
    public void Call_WithoutOneTrustedName_IsRefused(bool isTrusted, params string[] names)
    {
        var bench = Open(isTrusted: isTrusted);
        bench.Bind();

        Send(bench, 1, [.. names.Select(name => new HeaderField(RelayBench.Identity, name))], Message(Session, Ana), isEnd: true);

        Assert.Equal(Unauthenticated, Assert.Single(bench.Ended).GrpcStatus);
        Assert.Equal(ErrorCode.Unauthenticated, Assert.Single(bench.Denials).Error.Code);
        Assert.Empty(bench.Connected);
        Assert.Empty(bench.Admissions);
    }

    [Theory]
    [InlineData(256, 0)]
    [InlineData(257, 1)]
    public void Name_IsAtMostAsLongAsAnId(int length, int refused)
    {
        var bench = Open();

        Send(bench, 1, Named(new string('a', length)), Message(Session, Ana), isEnd: true);

        Assert.Equal(refused, bench.Ended.Count);
        Assert.Equal(1 - refused, bench.Admissions.Count);
    }

    [Theory]
    [InlineData(true, Mallory)]
    [InlineData(false, Ana)]
    public void Name_WithoutEnforcement_IsForTheAuditOnly(bool isTrusted, string caller)
    {
        var bench = Open(new AccessRules(null, null), isTrusted);
        Send(bench, 1, Named(Mallory), Message(Session, Ana), isEnd: true);

        var admission = Assert.Single(bench.Admissions);
        Assert.Equal((Ana, caller), (admission.Request.Key.UserId, admission.Request.Caller.User));
        bench.Client.Admitted(admission.Group, new Admission.Forward(bench.Bind()));

        bench.Client.Settle();
        var frames = Frames(Assert.Single(bench.Connected));
        Assert.Equal(Message(Session, Ana), Data(frames));
        Assert.DoesNotContain(Mallory, Encoding.Latin1.GetString(frames.Single(f => f.Type == FrameType.Headers).Payload.Span), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(1_000)]
    public void ParkedCalls_AreEditedWhenTheyGoOn(int piece)
    {
        var bench = Open();
        byte[] request = [.. Message(Session, Mallory), .. Grpc.Frame([]), .. Message("other", Mallory), .. Grpc.Frame(Proto.Bytes(3, new byte[3_000]))];
        bench.Client.Receive(Frame.Headers(1, Headers(Named(Ana))).ToBytes());
        foreach (var part in request.Chunk(piece)) bench.Client.Receive(Frame.Data(1, part).ToBytes());
        bench.Client.Receive(Frame.Data(1, default, endStream: true).ToBytes());
        Assert.Equal(request.Length, bench.Total.Bytes);

        bench.Client.Admitted(bench.Admissions[0].Group, new Admission.Forward(bench.Bind()));

        bench.Client.Settle();
        Assert.Equal(EditedMessages.Expected(request, Session, Ana), Data(Frames(Assert.Single(bench.Connected))));
        AssertNothingHeld(bench);
    }

    [Fact]
    public void ParkedCall_WithATrick_ReachesNoDriver()
    {
        var bench = Open();
        Send(bench, 1, Named(Ana), [.. Message(Session, Ana), .. Grpc.Frame([0x1a])], isEnd: false);

        bench.Client.Admitted(bench.Admissions[0].Group, new Admission.Forward(bench.Bind()));

        Assert.Empty(bench.Connected);
        Assert.Equal(ErrorCode.InvalidArgument, Assert.Single(bench.Denials).Error.Code);
        bench.Client.Receive(Frame.Data(1, new byte[100], endStream: true).ToBytes());
        Assert.Equal(InvalidArgument, Assert.Single(bench.Ended).GrpcStatus);
        AssertNothingHeld(bench);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Trick_InALaterMessage_CancelsTheDriversStream(bool isAnswered)
    {
        var bench = Open();
        bench.Bind();
        Send(bench, 1, Named(Ana), [.. Message(Session, Ana), .. Message(Session, Mallory)[..20]], isEnd: false);
        var driver = Assert.Single(bench.Connected);
        if (isAnswered) driver.Receive([.. Frame.Settings().ToBytes(), .. Frame.Headers(1, HeaderEncoder.Encode(Grpc.ResponseHeaders(("grpc-status", "5"))), endStream: true).ToBytes()]);
        Frames(bench.Client);

        bench.Client.Receive(Frame.Data(1, new byte[200]).ToBytes());

        Assert.Equal(ErrorCodes.Cancel, Frames(driver).Single(frame => frame.Type == FrameType.RstStream).Code);
        Assert.Equal(isAnswered ? 0 : 1, Frames(bench.Client).Count(frame => frame.Type == FrameType.Headers && frame.Has(FrameFlags.EndStream)));
        bench.Client.Receive(Frame.Data(1, new byte[200], endStream: true).ToBytes());
        Assert.Equal(isAnswered ? 5 : InvalidArgument, Assert.Single(bench.Ended).GrpcStatus);
        AssertNothingHeld(bench);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void CompressedMessage_IsRefusedWithWhatIsTaken(int before)
    {
        var bench = Open();
        bench.Bind();
        byte[] request = [.. Enumerable.Repeat(Message(Session, Ana), before).SelectMany(m => m), .. Grpc.Frame(new byte[50], compressed: true)];

        Send(bench, 1, Named(Ana), request, isEnd: true);

        Assert.Equal(Unimplemented, Assert.Single(bench.Ended).GrpcStatus);
        var trailers = Frames(bench.Client).Single(frame => frame.Type == FrameType.Headers);
        Assert.Equal("identity", new HeaderDecoder().Decode(trailers.Payload)["grpc-accept-encoding"]);
        AssertNothingHeld(bench);
    }

    [Fact]
    public void ManyEmptyMessages_ForADriverThatDoesNotRead_AreBounded()
    {
        var bench = Open(options: new RelayOptions { ParkedBytesPerConnection = 65_536 });
        bench.Bind();
        Send(bench, 1, Named(Ana), Message(Session, Ana), isEnd: false);

        bench.Client.Receive(Frame.Data(1, new byte[3_000 * Grpc.PrefixSize], endStream: true).ToBytes());

        Assert.Equal(ResourceExhausted, Assert.Single(bench.Ended).GrpcStatus);
        bench.Client.Settle();
        Frames(Assert.Single(bench.Connected));
        AssertNothingHeld(bench);
    }

    private static RelayBench Open(AccessRules? access = null, bool isTrusted = true, RelayOptions? options = null)
    {
        var bench = new RelayBench(options, access ?? RelayBench.Enforced, isTrusted);
        bench.Client.Receive([.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame.Settings().ToBytes()]);
        Frames(bench.Client);
        return bench;
    }

    private static HeaderField[] Named(string user) => [(RelayBench.Identity, user)];

    private static byte[] Message(string session, string user) => Grpc.Frame([.. Proto.Text(1, session), .. Proto.Bytes(2, Proto.Text(1, user)), .. Proto.Text(3, "plan")]);

    private static byte[] Headers(HeaderField[] more) => HeaderEncoder.Encode(Grpc.RequestHeaders("/spark.connect.SparkConnectService/AddArtifacts", "gateway:15002", more));

    private static void Send(RelayBench bench, int stream, HeaderField[] headers, byte[] request, bool isEnd)
    {
        bench.Client.Receive([.. Frame.Headers(stream, Headers(headers)).ToBytes(), .. Frame.Data(stream, request, isEnd).ToBytes()]);
        bench.Client.Settle();
    }

    private static byte[] Data(IEnumerable<Frame> frames) => [.. frames.Where(frame => frame.Type == FrameType.Data).SelectMany(frame => frame.Payload.ToArray())];

    /// <summary>All that is on its way out of a connection; the socket takes it.</summary>
    private static List<Frame> Frames(Http2Connection connection)
    {
        var sent = new List<byte>();
        for (var output = connection.Output; !output.IsEmpty; output.Advance(output.Next.Length)) sent.AddRange(output.Next.ToArray());
        var bytes = sent.ToArray().AsMemory();
        if (bytes.Span.StartsWith("PRI"u8)) bytes = bytes[24..];
        var frames = new List<Frame>();
        while (bytes.Length > 0)
        {
            var header = FrameHeader.Read(bytes.Span[..FrameHeader.Size]);
            frames.Add(new Frame(header.Type, header.Flags, header.StreamId, bytes.Slice(FrameHeader.Size, header.Length)));
            bytes = bytes[(FrameHeader.Size + header.Length)..];
        }

        return frames;
    }

    private static void AssertNothingHeld(RelayBench bench)
    {
        bench.Client.Settle();
        Assert.Equal((0L, 0), (bench.Total.Bytes, bench.Client.Book.Held));
        Assert.All(bench.Connected, driver => Assert.Equal(0, driver.Account.Held));
    }
}
