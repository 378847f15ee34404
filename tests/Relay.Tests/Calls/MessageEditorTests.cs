using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using SparkGateway.Domain;
using SparkGateway.Infrastructure.Relay.Calls;
using SparkGateway.Testing.Http2;

namespace SparkGateway.Relay.Tests.Calls;

/// <summary>
/// Edited messages, as a protobuf library reads them. google.protobuf.Option has the shape of every request of the service:
/// field 1 is a string (its name, here the session), field 2 a message whose field 1 is a string (a type URL, here the user).
/// </summary>
public sealed class MessageEditorTests
{
    private const string Session = RelayBench.ClientSession;
    private const string User = "ana";
    private const string Mallory = "mallory";
    private const string OtherSession = "99999999-4455-4677-8899-aabbccddeeff";

    private static readonly byte[] Tail = EditedMessages.Tail(Session, User);
    private static readonly byte[] Forged = [.. Proto.Text(1, OtherSession), .. Proto.Bytes(2, Proto.Text(1, Mallory))];

    /// <summary>Bytes behind a forged session and user, and what is said of them.</summary>
    public static TheoryData<string, string, string> Tricks => new()
    {
        { "length past the end, to swallow what is appended", Hex([.. Proto.LengthHead(3, 2 + Tail.Length), 1, 2]), "longer than the message" },
        { "length that is one too long", Hex([.. Proto.LengthHead(3, 3), 1, 2]), "longer than the message" },
        { "length of 4 GiB and 2, which is 2 where 32 bits are read", "1a8280808010" + "0102", "longer than the message" },
        { "length below zero", "1affffffffffffffffff01", "longer than the message" },
        { "tag without its length, for which the next byte is taken", "1a", "ends inside a field" },
        { "tag begun", "9a", "ends inside a field" },
        { "length begun", "1a80", "ends inside a field" },
        { "number begun", "1880", "ends inside a field" },
        { "tag without its number", "18", "ends inside a field" },
        { "eight bytes of which seven are there", "1901020304050607", "longer than the message" },
        { "four bytes of which three are there", "1d010203", "longer than the message" },
        { "group that stays open", "1b", "wire type" },
        { "group that was closed", "1b1c", "wire type" },
        { "end of a group that was not begun", "1c", "wire type" },
        { "wire type 6", "1e00", "wire type" },
        { "wire type 7", "1f00", "wire type" },
        { "number of eleven bytes", "18" + "8080808080808080808000", "too many bytes" },
        { "length of eleven bytes", "1a" + "8080808080808080808000", "too many bytes" },
        { "tag of six bytes", "9a808080800000", "too many bytes" },
        { "tag above 32 bits", "8a80808010" + "00", "no valid number" },
        { "field number 0", "0200", "no valid number" },
    };

    [Theory]
    [MemberData(nameof(Tricks))]
    public void Trick_IsRefused_HoweverItIsCut(string trick, string bytes, string says)
    {
        var message = Grpc.Frame([.. Forged, .. Convert.FromHexString(bytes)]);

        for (var cut = 0; cut <= message.Length; cut++)
        {
            var (_, refusal) = Edit(message, cut);
            Assert.True(refusal is { Code: ErrorCode.InvalidArgument }, $"{trick}, cut at {cut}");
            Assert.Contains(says, refusal.Text, StringComparison.Ordinal);
        }

        Assert.NotNull(Edit(message, [.. Enumerable.Range(0, message.Length)]).Refusal);
    }

    /// <summary>Why the walk is needed: behind this message the library does not see what was appended.</summary>
    [Fact]
    public void Length_PastTheEnd_WouldHideTheUser()
    {
        var read = Option.Parser.ParseFrom([.. Forged, .. Proto.LengthHead(3, 2 + Tail.Length), 1, 2, .. Tail]);

        Assert.Equal((OtherSession, Mallory), (read.Name, read.Value.TypeUrl));
    }

    [Theory]
    [InlineData("")]
    [InlineData("1a03010203")]
    [InlineData("1a00")]
    [InlineData("18ffffffffffffffffff01")]
    [InlineData("1901020304050607081d01020304")]
    [InlineData("9a808080000101")]
    [InlineData("c23e020a00")]
    public void Message_ThatIsWhole_EndsWithTheVerifiedUser(string rest)
    {
        byte[] message = [.. Forged, .. Proto.Text(1, OtherSession), .. Forged, .. Proto.Bytes(2, Proto.Bytes(2, [7])), .. Convert.FromHexString(rest)];
        var expected = Option.Parser.ParseFrom([.. message, .. Tail]);

        for (var cut = 0; cut < message.Length + Grpc.PrefixSize; cut++)
        {
            var read = Option.Parser.ParseFrom(Assert.Single(EditedMessages.Split(Good(Grpc.Frame(message), cut))));
            Assert.Equal((Session, User, ByteString.CopyFrom(7)), (read.Name, read.Value.TypeUrl, read.Value.Value));
            Assert.Equal(expected, read);
        }
    }

    [Fact]
    public void Request_OfManyMessages_CutAnywhere_IsThatOfEachMessage()
    {
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            byte[] request = [.. Enumerable.Range(0, random.Next(1, 12)).SelectMany(_ => Grpc.Frame(RandomMessage(random)))];
            var cuts = Enumerable.Range(0, random.Next(30)).Select(_ => random.Next(request.Length)).ToArray();

            Assert.Equal(EditedMessages.Expected(request, Session, User), Good(request, cuts));
        }
    }

    [Fact]
    public void Message_ThatALibraryReads_NamesTheVerifiedUserOrIsRefused()
    {
        var (taken, refused) = (0, 0);
        for (var seed = 0; seed < 60_000; seed++)
        {
            var random = new Random(seed);
            var message = RandomMessage(random);
            for (var n = random.Next(1, 4); n > 0 && message.Length > 0; n--) message = Mutate(message, random);
            var (edited, refusal) = Edit(Grpc.Frame(message), random.Next(message.Length + 1));
            if (refusal is not null)
            {
                refused++;
                continue;
            }

            if (TryRead(Assert.Single(EditedMessages.Split(edited))) is not { } read) continue;
            taken++;
            Assert.True(read.Name == Session && read.Value.TypeUrl == User, $"seed {seed}: {Convert.ToHexString(message)} is {read.Name} of {read.Value.TypeUrl}");
        }

        Assert.True(taken > 10_000 && refused > 10_000, $"{taken} were taken, {refused} refused");
    }

    [Fact]
    public void Frame_WithManySmallMessages_ComesOutInFewPieces()
    {
        byte[] frame = [.. Enumerable.Range(0, 100).SelectMany(_ => Grpc.Frame(Proto.Text(4, "tiny")))];
        var editor = Editor();
        var pieces = 0;

        for (ReadOnlySpan<byte> rest = frame; !rest.IsEmpty; pieces++) Assert.False(editor.Next(ref rest, out _).IsEmpty);

        Assert.Equal(1, pieces);
    }

    [Theory]
    [InlineData(1, ErrorCode.Unimplemented)]
    [InlineData(2, ErrorCode.InvalidArgument)]
    [InlineData(255, ErrorCode.InvalidArgument)]
    public void Flag_OtherThanZero_IsRefusedAtItsByte(byte flag, ErrorCode code) =>
        Assert.Equal(code, Edit([.. Grpc.Frame(Forged), flag]).Refusal!.Code);

    [Fact]
    public void Length_WithoutRoomForTheUser_IsRefused()
    {
        Assert.Null(Edit([0, .. BigEndian(uint.MaxValue - (uint)Tail.Length)], isEnded: false).Refusal);
        Assert.Equal(ErrorCode.InvalidArgument, Edit([0, .. BigEndian(uint.MaxValue - (uint)Tail.Length + 1)], isEnded: false).Refusal!.Code);
        Assert.Equal(ErrorCode.InvalidArgument, Edit([0, .. BigEndian(uint.MaxValue)], isEnded: false).Refusal!.Code);
    }

    [Fact]
    public void Request_ThatEndsInsideAMessage_IsRefused()
    {
        var message = Grpc.Frame(Forged);
        for (var length = 1; length < message.Length; length++) Assert.Equal(ErrorCode.InvalidArgument, Edit(message[..length]).Refusal!.Code);
        Assert.Null(Edit([]).Refusal);
        Assert.Null(Edit(message).Refusal);
    }

    private static byte[] BigEndian(uint value) => [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];

    private static string Hex(byte[] bytes) => Convert.ToHexString(bytes);

    private static byte[] RandomMessage(Random random)
    {
        byte[] message = [];
        for (var n = random.Next(6); n > 0; n--)
        {
            message =
            [
                .. message, .. random.Next(6) switch
                {
                    0 => Proto.Text(1, OtherSession),
                    1 => Proto.Bytes(2, Proto.Text(1, Mallory)),
                    2 => Proto.Number(random.Next(3, 3_000), (ulong)random.NextInt64(long.MaxValue) >> random.Next(63)),
                    3 => [0x1d, .. RandomBytes(random, 4)],
                    4 => [0x19, .. RandomBytes(random, 8)],
                    _ => Proto.Bytes(random.Next(3, 3_000), RandomBytes(random, random.Next(20) == 0 ? random.Next(40_000) : random.Next(20))),
                },
            ];
        }

        return message;
    }

    private static byte[] RandomBytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    private static byte[] Mutate(byte[] message, Random random)
    {
        var at = random.Next(message.Length);
        return random.Next(4) switch
        {
            0 => [.. message[..at], (byte)random.Next(256), .. message[(at + 1)..]],
            1 => [.. message[..at], (byte)(message[at] ^ (1 << random.Next(8))), .. message[(at + 1)..]],
            2 => message[..at],
            _ => [.. message, .. Proto.LengthHead(random.Next(1, 5), random.Next(2 * Tail.Length))],
        };
    }

    private static Option? TryRead(byte[] message)
    {
        try
        {
            return Option.Parser.ParseFrom(message);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    private static byte[] Good(byte[] request, params int[] cuts)
    {
        var (edited, refusal) = Edit(request, cuts);
        Assert.True(refusal is null, refusal?.Text);
        return edited;
    }

    private static (byte[] Edited, GatewayError? Refusal) Edit(byte[] request, params int[] cuts) => Edit(request, isEnded: true, cuts);

    private static (byte[] Edited, GatewayError? Refusal) Edit(byte[] request, bool isEnded, params int[] cuts)
    {
        var editor = Editor();
        var edited = new List<byte>();
        var at = 0;
        foreach (var end in cuts.Order().Append(request.Length))
        {
            for (ReadOnlySpan<byte> part = request.AsSpan(at, end - at); !part.IsEmpty;)
            {
                edited.AddRange(editor.Next(ref part, out var refusal));
                if (refusal is not null) return ([], refusal);
            }

            at = end;
        }

        return ([.. edited], isEnded ? editor.End() : null);
    }

    private static MessageEditor Editor()
    {
        var editor = new MessageEditor();
        editor.Begin(Tail);
        return editor;
    }
}
