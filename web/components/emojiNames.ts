/** The emoji that are offered first. */
export const AT_HAND = ['👍', '❤️', '😂', '😮', '😢', '🙏'] as const

/** Emoji by what they are of, each with what it is looked for by: Korean, then English. */
export const EMOJI = {
  faces: `😀 웃음 스마일 grin smile|😄 웃음 활짝 happy smile|😁 씨익 beam grin|😆 하하 laugh|😂 눈물 웃음 ㅋㅋ joy tears laugh|🤣 데굴데굴 빵 rofl laugh|😊 미소 수줍 blush smile|🙂 미소 slight smile|😉 윙크 wink|😍 하트 눈 반함 love eyes|🥰 사랑 hearts adore|😘 뽀뽀 kiss|😋 맛있 yum|😜 메롱 tongue wink|🤪 장난 zany crazy|🤗 포옹 hug|🤔 생각 고민 think|🤨 의심 raised eyebrow|😐 무표정 neutral|😏 능글 smirk|😒 시큰둥 unamused|🙄 한심 roll eyes|😬 이런 grimace|😌 안도 relieved|😴 잠 졸림 sleep|🤤 침 drool|😷 마스크 mask sick|🤒 열 아픔 fever sick|🤢 메스꺼움 nausea|🥵 더움 hot|🥶 추움 cold|😵 어질 dizzy|🤯 충격 mind blown|🥳 파티 축하 party|😎 멋짐 선글라스 cool|🤓 공부 nerd|😕 혼란 confused|😟 걱정 worried|😮 놀람 오 wow open mouth|😲 깜짝 astonished|😳 당황 flushed|🥺 부탁 애원 plead|😢 슬픔 눈물 cry sad|😭 엉엉 통곡 sob cry|😱 비명 scream|😤 씩씩 triumph huff|😡 화남 angry rage|🤬 욕 swear|😈 악마 devil|💀 해골 죽음 skull dead|💩 똥 poop|👻 유령 ghost|🤖 로봇 robot`,
  gestures: `👍 좋아 최고 따봉 thumbs up like yes|👎 싫어 thumbs down no|👌 오케이 ok|✌️ 브이 승리 victory peace|🤞 행운 fingers crossed luck|🤟 사랑해 love you|🤙 전화 call me|👋 안녕 인사 wave hi bye|👏 박수 clap|🙌 만세 hooray hands|🙏 감사 부탁 기도 thanks please pray|🤝 악수 handshake deal|💪 힘 근육 strong muscle|👊 주먹 fist bump|✊ 주먹 화이팅 fist|👉 오른쪽 right point|👈 왼쪽 left point|👆 위 up point|👇 아래 down point|☝️ 하나 index one|✋ 손 멈춤 hand stop|👀 눈 봄 eyes look|🫡 경례 salute|🫶 손하트 heart hands|🤷 모름 어깨 shrug|🤦 이마 facepalm|🙆 오케이 ok gesture|🙅 안돼 no gesture|🙋 저요 손들기 raise hand|🏃 달리기 run`,
  hearts: `❤️ 하트 사랑 빨강 heart love red|🧡 주황 하트 orange heart|💛 노랑 하트 yellow heart|💚 초록 하트 green heart|💙 파랑 하트 blue heart|💜 보라 하트 purple heart|🖤 검정 하트 black heart|🤍 하양 하트 white heart|💔 이별 상처 broken heart|💕 두 하트 two hearts|💖 반짝 하트 sparkling heart|💯 백점 hundred|✨ 반짝 sparkles|⭐ 별 star|🌟 빛나는 별 glowing star|🔥 불 대박 fire hot|🎉 축하 폭죽 tada party|🎊 축하 confetti|🎁 선물 gift|🎂 생일 케이크 birthday cake`,
  nature: `🐶 강아지 개 dog|🐱 고양이 cat|🐰 토끼 rabbit|🐻 곰 bear|🐼 판다 panda|🐯 호랑이 tiger|🦁 사자 lion|🐷 돼지 pig|🐸 개구리 frog|🐵 원숭이 monkey|🐔 닭 chicken|🐧 펭귄 penguin|🐥 병아리 chick|🦄 유니콘 unicorn|🐢 거북이 turtle|🐳 고래 whale|🦋 나비 butterfly|🌸 벚꽃 꽃 cherry blossom flower|🌹 장미 rose|🌻 해바라기 sunflower|🍀 네잎클로버 행운 clover luck|🌳 나무 tree|🌈 무지개 rainbow|☀️ 해 맑음 sun|⛅ 구름 cloud|☔ 비 우산 rain umbrella|❄️ 눈 겨울 snow|🌙 달 밤 moon night|⚡ 번개 lightning`,
  food: `☕ 커피 coffee|🍵 차 tea|🍺 맥주 beer|🍻 건배 cheers beer|🍷 와인 wine|🥂 축배 toast|🍚 밥 rice|🍜 라면 국수 noodles ramen|🍣 초밥 sushi|🍕 피자 pizza|🍔 햄버거 burger|🍟 감자튀김 fries|🍗 치킨 닭다리 chicken|🥩 고기 meat|🍳 달걀 egg cooking|🍞 빵 bread|🍰 케이크 cake|🍩 도넛 donut|🍪 쿠키 cookie|🍫 초콜릿 chocolate|🍦 아이스크림 ice cream|🍎 사과 apple|🍓 딸기 strawberry|🍉 수박 watermelon|🍑 복숭아 peach`,
  sports: `⚽ 축구 soccer football|🏀 농구 basketball|⚾ 야구 baseball|🏐 배구 volleyball|🎾 테니스 tennis|🏸 배드민턴 badminton|🏓 탁구 table tennis|🥅 골대 goal|🏆 우승 트로피 trophy win|🥇 금메달 1등 gold medal|🥈 은메달 silver medal|🥉 동메달 bronze medal|🎯 명중 target|🎮 게임 game|🎲 주사위 dice|🎵 음악 music|🎤 노래 sing mic|🎧 헤드폰 headphones|🎬 영화 movie|🎨 그림 art|🚴 자전거 bike|🏊 수영 swim|⛰️ 산 mountain|🏕️ 캠핑 camping`,
  things: `✅ 확인 완료 check done|❌ 아니 엑스 no cross|❓ 물음표 question|❗ 느낌표 exclamation|⚠️ 주의 warning|🚫 금지 forbidden|💡 아이디어 idea|📌 핀 pin|📅 달력 일정 calendar|⏰ 알람 시간 alarm time|⏳ 모래시계 기다림 hourglass wait|📷 사진 camera|📱 전화 phone|💻 노트북 laptop|✏️ 연필 pencil|📚 책 book|💰 돈 money|🔔 알림 종 bell|🔒 자물쇠 lock|🚗 차 car|🚌 버스 bus|🚇 지하철 subway|✈️ 비행기 plane|🏠 집 home|🇰🇷 한국 태극기 korea flag|👑 왕관 crown|💎 보석 gem|💤 졸림 zzz|💬 말풍선 speech|🆗 오케이 ok`,
} as const

export type EmojiGroup = keyof typeof EMOJI

/** An emoji, and the words that it is found by. */
export interface NamedEmoji {
  readonly emoji: string
  readonly words: string
}

export const emojiOf = (group: EmojiGroup): NamedEmoji[] =>
  EMOJI[group].split('|').map((line) => {
    const space = line.indexOf(' ')
    return { emoji: line.slice(0, space), words: line.slice(space + 1) }
  })
